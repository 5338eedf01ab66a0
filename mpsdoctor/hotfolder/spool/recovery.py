"""What an earlier daemon left in `.work/`, brought to a state to go on from.

Every step may be cut short and done again: what is found decides, and nothing that was dropped
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
    """Finishes what was decided, removes what is stale; returns the jobs to render, oldest first.

    To be called while no worker has a job: at the start, and after any OSError. It raises
    OSError where the disk refuses.
    """
    jobs = [_load(spool, folder) for folder in _job_folders(spool)]
    jobs = [job for job in jobs if not _was_decided(spool, job)]
    found = find_published(spool.layout.images, [job for job in jobs if begun(job)])
    return [job for job in (_taken_up(spool, job, found) for job in jobs) if job]


def _job_folders(spool: Spool) -> Iterator[Path]:
    """The folders of claimed jobs, oldest first; claims that were cut short are undone."""
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
        logger.warning("%s is missing or damaged; the job starts anew", folder / JOB)
        job = new_job(f"{folder.name}.txt")
    if same_file(folder / PROMPT, spool.layout.inbox / job.name):
        (spool.layout.inbox / job.name).unlink()  # a claim by link that was cut short
    return replace(job, id=folder.name)


def _was_decided(spool: Spool, job: Job) -> bool:
    """Carries out a verdict of which the reason is written down."""
    decided = exists(spool.folder(job) / REASON)
    if decided:
        spool.finish_failure(job)
    return decided


def _taken_up(spool: Spool, job: Job, found: dict[str, dict[int, str]]) -> Job | None:
    """The job with what has been published of it; None where that was all, and it is put away."""
    if images := found.get(job.id):
        logger.info("of %s, %d images had been published", job.name, len(images))
        job = spool.note_published(job, images)
    if is_settled(job):
        spool.settle(job)
        return None
    for path in spool.folder(job).iterdir():
        if path.name != JOB:
            remove_own(path)
    return job
