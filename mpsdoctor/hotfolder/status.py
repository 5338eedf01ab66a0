"""How the hot folder stands, for another process to read."""

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from mpsdoctor.files import replace_file
from mpsdoctor.hotfolder.events import (
    Event,
    Published,
    Rejected,
    Rendering,
    Retrying,
    Stepped,
    Stopped,
)
from mpsdoctor.hotfolder.layout import Layout
from mpsdoctor.hotfolder.lock import holder, is_locked
from mpsdoctor.hotfolder.names import ERROR_SUFFIX, folded, is_ignored
from mpsdoctor.records import Record

logger = logging.getLogger(__name__)

_PAUSE_S = 0.3


class Progress(Record):
    """What no folder shows: the job that is being rendered, and the last failure."""

    name: str | None = None
    step: int = 0
    steps: int = 0
    last_error: str | None = None


class Status(Record):
    """`inbox`, `work`, `done` and `failed` count dropped files; `pid` is the daemon's."""

    running: bool
    pid: int | None
    inbox: int
    work: int
    done: int
    failed: int
    images: int
    progress: Progress


def read_status(root: Path) -> Status:
    """Looks at the folders and at the lock; a folder that does not exist counts as empty."""
    layout = Layout(root)
    running = is_locked(layout.lock_file)
    progress = _read_progress(layout.status_file)
    return Status(
        running=running,
        pid=holder(layout.lock_file) if running else None,
        inbox=sum(1 for entry in _entries(layout.inbox) if not is_ignored(entry.name)),
        work=sum(1 for entry in _entries(layout.work) if entry.is_dir(follow_symlinks=False)),
        done=sum(1 for entry in _entries(layout.done) if not is_ignored(entry.name)),
        failed=sum(1 for entry in _entries(layout.failed) if _is_dropped(entry.name)),
        images=sum(1 for entry in _entries(layout.images) if folded(entry.name).endswith(".png")),
        progress=progress if running else Progress(last_error=progress.last_error),
    )


def _is_dropped(name: str) -> bool:
    return not is_ignored(name) and not folded(name).endswith(ERROR_SUFFIX)


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        yield from entries


def _read_progress(path: Path) -> Progress:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Progress)
    except (OSError, ValueError):
        return Progress()


def progress_after(progress: Progress, event: Event) -> Progress:
    """The progress that follows from what has just happened."""
    last_error = progress.last_error
    match event:
        case Rendering(name=name):
            return Progress(name=name, last_error=last_error)
        case Stepped(name=name, step=step, steps=steps):
            return Progress(name=name, step=step, steps=steps, last_error=last_error)
        case Rejected(name=name, title=title) | Retrying(name=name, title=title):
            return Progress(last_error=f"{name}: {title}")
        case Published() | Stopped():
            return Progress(last_error=last_error)
        case _:
            return progress


class ProgressFile:
    """Keeps the status file up to date; steps no more often than every 0.3 seconds.

    It may be lost or stale without harm, so nothing here is synced and nothing raises.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._progress = Progress()
        self._written_at = float("-inf")

    def update(self, event: Event) -> None:
        """Takes note of `event`."""
        progress = progress_after(self._progress, event)
        early = self._clock() - self._written_at < _PAUSE_S
        if progress == self._progress or (isinstance(event, Stepped) and early):
            return
        self._progress = progress
        self._written_at = self._clock()
        try:
            replace_file(self._path, msgspec.json.encode(progress))
        except OSError:
            logger.warning("the status file cannot be written", exc_info=True)
