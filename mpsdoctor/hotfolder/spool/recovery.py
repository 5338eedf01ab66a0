"""Recovers what an earlier daemon left in `.work/`.

Every step may be interrupted and repeated: only what is in the folders decides. No dropped file
is ever deleted.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec.structs import replace

from mpsdoctor.files import exists, same_file
from mpsdoctor.hotfolder.spool.images import find_published
from mpsdoctor.hotfolder.spool.job import Job, begun, is_settled, new_job
from mpsdoctor.hotfolder.spool.spool import JOB, PROMPT, REASON, Spool, remove_own

logger = logging.getLogger(__name__)


def recover(spool: Spool) -> list[Job]:
    """Finishes decided jobs, removes stale files; returns the jobs to render, oldest first.

    Call it while no worker has a job: at the start, and after any OSError. Raises OSError if the
    disk refuses.
    """
    jobs = [_load(spool, folder) for folder in _job_folders(spool)]
    jobs = [job for job in jobs if not _was_decided(spool, job)]
    found = find_published(spool.layout.images, [job for job in jobs if begun(job)])
    return [job for job in (_taken_up(spool, job, found) for job in jobs) if job]


def _job_folders(spool: Spool) -> Iterator[Path]:
    """The folders of claimed jobs, oldest first; undoes interrupted claims."""
    for folder in sorted(spool.layout.work.iterdir()):
        if folder.is_symlink() or not folder.is_dir():
            continue
        if exists(folder / PROMPT) or exists(folder / REASON):
            yield folder
        else:
            spool.forget(Job(id=folder.name, name="", seed=0))


def _load(spool: Spool, folder: Path) -> Job:
    """The folder's name is the id; a job whose record is damaged gets a new one."""
    try:
        job = msgspec.json.decode((folder / JOB).read_bytes(), type=Job)
    except (FileNotFoundError, ValueError):
        logger.warning("%s is missing or damaged; the job starts again", folder / JOB)
        job = new_job(f"{folder.name}.txt")
    if same_file(folder / PROMPT, spool.layout.inbox / job.name):
        (spool.layout.inbox / job.name).unlink()  # an interrupted claim by hard link
    return replace(job, id=folder.name)


def _was_decided(spool: Spool, job: Job) -> bool:
    """Whether the job has failed; if so, finishes moving it to `failed/`."""
    decided = exists(spool.folder(job) / REASON)
    if decided:
        spool.finish_failure(job)
    return decided


def _taken_up(spool: Spool, job: Job, found: dict[str, dict[int, str]]) -> Job | None:
    """The job with its published images noted; None if it is settled, and has been moved."""
    if images := found.get(job.id):
        logger.info("%s: %d images were already published", job.name, len(images))
        job = spool.note_published(job, images)
    if is_settled(job):
        spool.settle(job)
        return None
    for path in spool.folder(job).iterdir():
        if path.name != JOB:
            remove_own(path)
    return job
