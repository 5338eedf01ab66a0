"""Bringing files from a hub into huggingface_hub's cache, whole or to be continued."""

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
"""A file's content from a byte on; False where it begins at its own beginning instead."""

Pause = Callable[[Exception, float], None]
"""Hears what broke, and waits so many seconds."""

_TRIES = 5


def carry_out(plan: Plan, stream: Stream, progress: Progress, pause: Pause) -> None:
    """Brings what is missing, gives every file its name, and last makes it what programs load.

    Until then they load the commit that they loaded before. Raises what `fetch` raises.
    """
    for file in plan.missing:
        fetch(file, plan.repository, stream, progress, pause)
    for file in plan.files:
        plan.repository.give_name(file)
    plan.repository.publish()


def fetch(
    file: RemoteFile, repository: Repository, stream: Stream, progress: Progress, pause: Pause
) -> None:
    """Brings one file into the cache; what an earlier attempt left of it is not asked for again.

    A connection that breaks is taken up again as long as it brings anything, and five times if it
    does not. The cache gets the file when its content is what the hub names it to be.

    Raises MpsDoctorError where another process downloads it or where it arrives damaged, twice;
    OSError where the disk does not take it; and what `stream` raised last.
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
    """Asks for what is missing until nothing is."""
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
    with stream(file, here) as (goes_on, chunks), partial.open("ab") as target:
        if here and not goes_on:
            target.truncate(0)
        for chunk in chunks:
            target.write(chunk)
            progress(file, target.tell())


@contextmanager
def _alone(partial: Path) -> Iterator[None]:
    """The kernel lets go of the lock when the process ends, however it ends (flock(2))."""
    with partial.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise MpsDoctorError(
                "Another mpsdoctor pull downloads this model",
                detail=f"It has {partial} open.",
                hint="Wait for it, or end it and try again.",
            ) from error
        yield
