"""What an earlier daemon left in `.work/`, brought to a state to go on from.

Every step may be cut short and done again: what is found decides, and nothing that was dropped
is ever deleted.
"""

import logging
import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
from msgspec.structs import replace

from mpsdoctor.hotfolder.pictures import job_in_picture
from mpsdoctor.hotfolder.spool import HALF_CLAIMED, JOB, PROMPT, REASON, Job, Spool, new_job

logger = logging.getLogger(__name__)


def recover(spool: Spool) -> list[Job]:
    """Finishes what was decided, removes what is stale; returns the jobs to render, oldest first.

    Raises OSError where the disk refuses.
    """

    @cache
    def published() -> frozenset[str | None]:
        return frozenset(map(job_in_picture, spool.layout.images.glob("*.png")))

    jobs = []
    for folder in _job_folders(spool):
        decided = (folder / REASON).exists()
        if not decided and not os.path.lexists(folder / PROMPT):
            shutil.rmtree(folder)
            continue
        job = _load(folder)
        if decided:
            spool.finish_failure(job)
        elif job.attempts and job.id in published():
            logger.info("%s had been published; the prompt goes to done", job.name)
            spool.finish(job)
        else:
            _remove_pictures(folder)
            jobs.append(job)
    return jobs


def _job_folders(spool: Spool) -> Iterator[Path]:
    """The folders of claimed jobs, oldest first; half-made claims are finished or undone."""
    for folder in sorted(spool.layout.work.iterdir()):
        if not folder.is_dir():
            continue
        if not folder.name.endswith(HALF_CLAIMED):
            yield folder
        elif os.path.lexists(folder / PROMPT):
            spool.finish_claim(folder)
            yield folder.with_name(folder.name.removesuffix(HALF_CLAIMED))
        else:
            shutil.rmtree(folder)


def _load(folder: Path) -> Job:
    """The folder's name is the id; a job whose record is damaged gets a new one."""
    try:
        job = msgspec.json.decode((folder / JOB).read_bytes(), type=Job)
    except (OSError, ValueError):
        logger.warning("%s is missing or damaged; the job starts anew", folder / JOB)
        job = new_job(f"{folder.name}.txt")
    return replace(job, id=folder.name)


def _remove_pictures(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name not in (PROMPT, JOB):
            path.unlink()
