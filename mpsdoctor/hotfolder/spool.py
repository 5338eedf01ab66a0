"""Jobs on disk: each dropped file in exactly one of inbox, .work, done and failed.

.work/<job>.new/    a claim that is not finished
.work/<job>/        prompt.txt   what was dropped, whatever it was
                    job.json     the Job
                    image-N.png  attempt N's picture, until it is published
                    error.txt    the reason, once the job has failed
"""

import contextlib
import os
import secrets
import shutil
import time
from itertools import count
from pathlib import Path

import msgspec
from msgspec.structs import replace

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.files import (
    move,
    move_to_unused,
    numbered,
    rename_noreplace,
    sync,
    write_atomically,
)
from mpsdoctor.hotfolder.layout import Layout
from mpsdoctor.hotfolder.names import (
    ERROR_SUFFIX,
    error_name,
    readable,
    split,
    title_of,
)
from mpsdoctor.hotfolder.stability import Sight
from mpsdoctor.records import Record

HALF_CLAIMED = ".new"
PROMPT = "prompt.txt"
JOB = "job.json"
REASON = "error.txt"


class Job(Record):
    """One dropped file. The seed is drawn once, so that another attempt makes the same picture.

    `attempts` are the ones that have begun, the present one included.
    """

    id: str
    name: str
    seed: int
    attempts: int = 0


def new_job(name: str) -> Job:
    """Ids sort in the order of time."""
    return Job(
        id=f"{time.time_ns():020d}-{secrets.token_hex(4)}",
        name=readable(name),
        seed=secrets.randbelow(2**32),
    )


class Spool:
    """What can happen to a job. Every step is on disk when the method returns.

    All methods raise OSError where the disk refuses; what was dropped then is where it was.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def folder(self, job: Job) -> Path:
        """The job's own folder."""
        return self.layout.work / job.id

    def prompt(self, job: Job) -> Path:
        """What was dropped."""
        return self.folder(job) / PROMPT

    def picture(self, job: Job) -> Path:
        """Where the present attempt's picture goes.

        Another attempt has another name: a worker that outlived its daemon may still write.
        """
        return self.folder(job) / f"image-{job.attempts}.png"

    def claim(self, name: str, seen: Sight) -> Job | None:
        """Takes `name` out of the inbox; None where it has gone or is no longer as `seen`.

        It is moved before it is read: from then on nobody else writes to it under that name.
        """
        job = new_job(name)
        half = self.layout.work / (job.id + HALF_CLAIMED)
        half.mkdir()
        try:
            write_atomically(half / JOB, msgspec.json.encode(job))
            move(self.layout.inbox / name, half / PROMPT)
        except FileNotFoundError:
            shutil.rmtree(half)
            return None
        except OSError:
            # The system's complaint matters, not one about tidying up on a full disk.
            shutil.rmtree(half, ignore_errors=True)
            raise
        if seen.regular and Sight.of((half / PROMPT).lstat()) != seen:
            self._put_back(half / PROMPT, name)
            shutil.rmtree(half)
            return None
        self.finish_claim(half)
        return job

    def _put_back(self, prompt: Path, name: str) -> None:
        try:
            move(prompt, self.layout.inbox / name)
        except FileExistsError:
            stem, suffix = split(readable(name))
            move_to_unused(prompt, self.layout.inbox, stem, suffix)

    def finish_claim(self, half: Path) -> None:
        """The last step of a claim: the job folder gets its name."""
        rename_noreplace(half, half.with_name(half.name.removesuffix(HALF_CLAIMED)))
        sync(self.layout.work)

    def begin_attempt(self, job: Job) -> Job:
        """Counts the attempt before the worker hears of it, so that a crash cannot hide it."""
        return self._save(replace(job, attempts=job.attempts + 1))

    def give_back_attempt(self, job: Job) -> Job:
        """For an attempt that the user interrupted, which says nothing about the job."""
        return self._save(replace(job, attempts=job.attempts - 1))

    def _save(self, job: Job) -> Job:
        write_atomically(self.folder(job) / JOB, msgspec.json.encode(job))
        return job

    def publish(self, job: Job) -> Path:
        """Moves the present attempt's picture into `images/`, never over another."""
        sync(self.picture(job))
        return move_to_unused(
            self.picture(job), self.layout.images, title_of(job.name), self.picture(job).suffix
        )

    def finish(self, job: Job) -> None:
        """The picture is out: moves the prompt file to `done/` and forgets the job."""
        move_to_unused(self.prompt(job), self.layout.done, *split(job.name))
        shutil.rmtree(self.folder(job))

    def fail(self, job: Job, reason: MpsDoctorError) -> Path:
        """Moves what was dropped to `failed/`; returns the error file beside it.

        The reason is written down first, so that the verdict stands if this is cut short.
        """
        write_atomically(self.folder(job) / REASON, error_text(job, reason).encode())
        return self.finish_failure(job)

    def finish_failure(self, job: Job) -> Path:
        """Carries out what `fail` has decided, as far as that has not been done."""
        name = job.name
        if os.path.lexists(self.prompt(job)):
            name = self._move_to_failed(job)
        title = error_name(name).removesuffix(ERROR_SUFFIX)
        reason = self.folder(job) / REASON
        error_file = move_to_unused(reason, self.layout.failed, title, ERROR_SUFFIX)
        shutil.rmtree(self.folder(job))
        return error_file

    def _move_to_failed(self, job: Job) -> str:
        """Prefers a name that leaves room for the error file beside it."""
        stem, suffix = split(job.name)
        for number in count(1):
            name = numbered(stem, suffix, number)
            if os.path.lexists(self.layout.failed / error_name(name)):
                continue
            with contextlib.suppress(FileExistsError):
                move(self.prompt(job), self.layout.failed / name)
                return name
        raise AssertionError("the numbers never end")


def error_text(job: Job, reason: MpsDoctorError) -> str:
    """What the user reads beside the file that failed."""
    parts = [
        f"{job.name} was not rendered.",
        "\n".join(part for part in (reason.title, reason.detail) if part),
        f"What to do: {reason.hint}" if reason.hint else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
