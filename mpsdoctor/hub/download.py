"""Downloads files from a hub into huggingface_hub's cache; interrupted downloads can resume."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hub.cache import Progress, Repository, is_intact, size_of
from mpsdoctor.hub.errors import damaged, is_transient
from mpsdoctor.hub.listing import RemoteFile
from mpsdoctor.hub.plan import Plan

Stream = Callable[[RemoteFile, int], AbstractContextManager[tuple[bool, Iterator[bytes]]]]
"""A file's content from a given byte on; False if it starts at byte 0 instead."""

Pause = Callable[[Exception, float], None]
"""Is called with the error, and waits for the given number of seconds."""

_TRIES = 5


def carry_out(plan: Plan, stream: Stream, progress: Progress, pause: Pause) -> None:
    """Downloads the missing files, gives every file its name, and publishes the commit last.

    Until then, programs load the previous commit. Raises the errors of `fetch`.
    """
    for file in plan.missing:
        fetch(file, plan.repository, stream, progress, pause)
    for file in plan.files:
        plan.repository.give_name(file)
    plan.repository.publish()


def fetch(
    file: RemoteFile, repository: Repository, stream: Stream, progress: Progress, pause: Pause
) -> None:
    """Downloads one file into the cache, and continues what an earlier attempt left.

    A broken connection is retried as long as each attempt brings new bytes; five attempts without
    any end the download. The file enters the cache only if its checksum matches.

    Raises MpsDoctorError if another process downloads the file, or if it arrives damaged twice.
    Raises OSError if it cannot be written, and the last error of `stream`.
    """
    partial = repository.partial(file)
    partial.parent.mkdir(parents=True, exist_ok=True)
    with _alone(partial):
        for _ in range(2):
            _complete(partial, file, stream, progress, pause)
            if is_intact(partial, file, lambda _file, _done: None):
                repository.accept(file)
                return
            os.truncate(partial, 0)
        partial.unlink()
    raise damaged(file.path)


def _complete(
    partial: Path, file: RemoteFile, stream: Stream, progress: Progress, pause: Pause
) -> None:
    """Requests the missing bytes until there are none."""
    idle = 0
    while (here := size_of(partial)) < file.size:
        broke: Exception = ConnectionError("the hub ended it")
        try:
            _append(partial, file, stream, progress)
        except Exception as error:
            if not is_transient(error):
                raise
            broke = error
        idle = 0 if size_of(partial) > here else idle + 1
        if idle == _TRIES:
            raise broke
        if size_of(partial) < file.size:
            pause(broke, 2.0**idle)


def _append(partial: Path, file: RemoteFile, stream: Stream, progress: Progress) -> None:
    here = size_of(partial)
    progress(file, here)
    with stream(file, here) as (continues, chunks), partial.open("ab") as target:
        if here and not continues:
            target.truncate(0)
        for chunk in chunks:
            target.write(chunk)
            progress(file, target.tell())


@contextmanager
def _alone(partial: Path) -> Iterator[None]:
    """Holds a lock, which the kernel releases when the process ends, however it ends (flock(2))."""
    with partial.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise MpsDoctorError(
                "Another `mpsdoctor pull` is downloading this model",
                detail=f"It has {partial} open.",
                hint="Wait until it ends, or stop it and try again.",
            ) from error
        yield
