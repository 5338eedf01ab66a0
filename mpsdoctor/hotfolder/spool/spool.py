"""Jobs on disk: each dropped file is in exactly one of inbox, .work, done and failed.

Each job has a folder in .work:

- prompt.txt: the dropped file, of any kind; without it there is no job
- job.json: the Job
- image-N-A.png: picture N of attempt A, until it is published
- error.txt: the reason, once the job has failed
"""

import contextlib
import os
import shutil
from itertools import count
from pathlib import Path

import msgspec
from msgspec.structs import replace

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.files import (
    exists,
    folded,
    move,
    move_to_unused,
    names_used,
    numbered,
    sync,
    write_atomically,
)
from mpsdoctor.hotfolder.pause import pause_for
from mpsdoctor.hotfolder.spool.error_text import error_text
from mpsdoctor.hotfolder.spool.file_state import FileState
from mpsdoctor.hotfolder.spool.job import Failure, Job, new_job
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.names import ERROR_SUFFIX, error_name, split, title_of

PROMPT = "prompt.txt"
JOB = "job.json"
REASON = "error.txt"


class UnmovableError(Exception):
    """One dropped file cannot be moved and stays where it is; `error` says why."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class Spool:
    """The steps of a job. Each one is on disk when its method returns.

    All methods raise OSError if the disk refuses. The step may have been taken even so, but
    nothing is lost, and `recover` continues from there.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def folder(self, job: Job) -> Path:
        """The job's folder."""
        return self.layout.work / job.id

    def prompt(self, job: Job) -> Path:
        """The dropped file."""
        return self.folder(job) / PROMPT

    def picture(self, job: Job, number: int) -> Path:
        """Where the worker writes the picture in the present attempt.

        Each attempt has its own name: a worker that outlived its daemon may still write.
        """
        return self.folder(job) / f"image-{number}-{job.attempts[number]}.png"

    def claim(self, name: str, seen: FileState) -> Job | None:
        """Takes `name` out of the inbox; None if it is gone or no longer as `seen`.

        The file is moved before it is read: after that, nobody writes to it under the old name.
        Its new folder is on disk before the move. Raises UnmovableError.
        """
        job = new_job(name)
        self.folder(job).mkdir()
        try:
            self._save(job)
            sync(self.layout.work)
            if not self._take(name, job):
                self.forget(job)
                return None
            if seen.regular and FileState.of(self.prompt(job).lstat()) != seen:
                self._put_back(job, name)
                return None
        except (OSError, UnmovableError):
            self.forget(job)
            raise
        return job

    def _take(self, name: str, job: Job) -> bool:
        try:
            move(self.layout.inbox / name, self.prompt(job))
        except FileNotFoundError:
            return False
        except OSError as error:
            if exists(self.prompt(job)) or not self._concerns_one_file(error):
                raise
            raise UnmovableError(error) from error
        return True

    def _concerns_one_file(self, error: OSError) -> bool:
        """Whether the error is about one file, not about the disk or all of the inbox."""
        pause = pause_for(error)
        if pause and pause.kind == "privacy":
            return os.access(self.layout.inbox, os.W_OK)
        return pause is None

    def _put_back(self, job: Job, name: str) -> None:
        try:
            move(self.prompt(job), self.layout.inbox / name)
        except FileExistsError:
            move_to_unused(self.prompt(job), self.layout.inbox, *split(job.name))
        self.forget(job)

    def freeze(
        self, job: Job, *, sha256: str, profile: str, fallbacks: dict[str, int], pictures: int
    ) -> Job:
        """Sets what all attempts have in common; the first attempt writes it to disk.

        If the content or the profile has changed, all unpublished pictures start again.
        """
        if (job.sha256, job.profile) == (sha256, profile):
            return job
        return replace(
            job,
            sha256=sha256,
            profile=profile,
            fallbacks=fallbacks,
            pictures=pictures,
            attempts={},
            losses={},
            failures={},
        )

    def begin_attempt(self, job: Job, number: int) -> Job:
        """Counts the attempt before the worker gets it, so that a crash cannot hide it."""
        return self._count(job, number, 1)

    def give_back_attempt(self, job: Job, number: int) -> Job:
        """Uncounts an attempt that was interrupted, which says nothing about the picture."""
        return self._count(job, number, -1)

    def _count(self, job: Job, number: int, more: int) -> Job:
        attempts = job.attempts.get(number, 0) + more
        return self._save(replace(job, attempts={**job.attempts, number: attempts}))

    def note_loss(self, job: Job, number: int, signature: str) -> Job:
        """Notes that the worker was lost in this attempt; `signature` says how."""
        losses = (*job.losses.get(number, ()), signature)
        return self._save(replace(job, losses={**job.losses, number: losses}))

    def note_failure(self, job: Job, number: int, failure: Failure) -> Job:
        """Notes that the picture is given up."""
        return self._save(replace(job, failures={**job.failures, number: failure}))

    def note_published(self, job: Job, images: dict[int, str]) -> Job:
        """Notes the names of published `images`, by picture number."""
        return self._save(replace(job, published={**job.published, **images}))

    def _save(self, job: Job) -> Job:
        write_atomically(self.folder(job) / JOB, msgspec.json.encode(job))
        return job

    def publish(self, job: Job, number: int) -> tuple[Job, Path]:
        """Moves the picture into `images/`; never overwrites a file."""
        picture = self.picture(job, number)
        sync(picture)
        title = title_of(job.name)
        image = move_to_unused(picture, self.layout.images, title, picture.suffix, first=number)
        return self.note_published(job, {number: image.name}), image

    def settle(self, job: Job) -> Path | None:
        """Ends a job whose pictures are all settled; returns its error file, if it has one."""
        if job.failures:
            return self.fail(job)
        self.finish(job)
        return None

    def finish(self, job: Job) -> None:
        """Moves the prompt file to `done/` and forgets the job."""
        move_to_unused(self.prompt(job), self.layout.done, *split(job.name))
        self.forget(job)

    def fail(self, job: Job, reason: MpsDoctorError | None = None) -> Path:
        """Moves the dropped file to `failed/`; returns the error file beside it.

        Without a `reason`, the error file gives those of the pictures. It is written first, so
        that the decision survives an interruption.
        """
        write_atomically(self.folder(job) / REASON, error_text(job, reason).encode())
        return self.finish_failure(job)

    def finish_failure(self, job: Job) -> Path:
        """Completes what `fail` has begun."""
        if exists(self.prompt(job)):
            job = self._move_to_failed(job)
        title = error_name(job.failed_as or job.name).removesuffix(ERROR_SUFFIX)
        reason = self.folder(job) / REASON
        error_file = move_to_unused(reason, self.layout.failed, title, ERROR_SUFFIX)
        self.forget(job)
        return error_file

    def _move_to_failed(self, job: Job) -> Job:
        """Under a name whose error file is free too; notes the name before the move."""
        if job.failed_as:
            with contextlib.suppress(FileExistsError):
                move(self.prompt(job), self.layout.failed / job.failed_as)
                return job
        names = names_used(self.layout.failed)
        stem, suffix = split(job.name)
        for number in count(1):
            name = numbered(stem, suffix, number)
            if not names & {folded(name), folded(error_name(name))}:
                job = self._save(replace(job, failed_as=name))
                with contextlib.suppress(FileExistsError):
                    move(self.prompt(job), self.layout.failed / name)
                    return job
        raise AssertionError("the numbers never end")

    def forget(self, job: Job) -> None:
        """Removes the job's folder and mpsdoctor's files in it, but never the dropped file.

        Nothing depends on it: `recover` removes what is left.
        """
        with contextlib.suppress(OSError):
            if exists(self.prompt(job)):
                return
            for path in self.folder(job).iterdir():
                remove_own(path)
            self.folder(job).rmdir()


def remove_own(path: Path) -> None:
    """Removes the file or folder, unless it is the prompt file."""
    if path.name == PROMPT:
        return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
