"""The state of the hot folder, read by another process."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from mpsdoctor.constants import STATUS_SCHEMA
from mpsdoctor.files import folded
from mpsdoctor.hotfolder.pause import Pause
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.lock import holder, is_locked
from mpsdoctor.hotfolder.spool.names import ERROR_SUFFIX, is_ignored, readable
from mpsdoctor.hotfolder.status.eta import queue_remaining
from mpsdoctor.hotfolder.status.progress import Current, Progress, Result, Worker, read_progress
from mpsdoctor.records import Record

# A change within this time may not change the folder's time: FAT keeps even seconds.
_SETTLED_NS: Final = 2_500_000_000


class Status(Record, kw_only=True):
    """`inbox`, `work`, `done` and `failed` count dropped files; `pid` is the daemon's.

    `remaining_s` is the time until everything is rendered; None if unknown.
    """

    schema_version: int = STATUS_SCHEMA
    root: str
    running: bool
    pid: int | None
    heartbeat: float | None
    stopping: bool
    paused: Pause | None
    inbox: int
    work: int
    done: int
    failed: int
    images: int
    current: Current | None
    remaining_s: float | None
    loading: str | None
    worker: Worker | None
    results: tuple[Result, ...]


class StatusReader:
    """Reads the folders and the lock; a missing folder counts as empty.

    Reading again is cheap: files are counted only in a folder that has changed.
    """

    def __init__(self, root: Path) -> None:
        self._layout = layout = Layout(root)
        self._inbox = _Count(layout.inbox, lambda entry: not is_ignored(entry.name))
        self._work = _Count(layout.work, lambda entry: entry.is_dir(follow_symlinks=False))
        self._done = _Count(layout.done, lambda entry: not is_ignored(entry.name))
        self._failed = _Count(layout.failed, lambda entry: _is_dropped(entry.name))
        self._images = _Count(layout.images, lambda e: folded(e.name).endswith(".png"))

    def read(self) -> Status:
        """The present state."""
        running = is_locked(self._layout.lock_file)
        progress = read_progress(self._layout.status_file)
        if not running:
            progress = Progress(heartbeat=progress.heartbeat, results=progress.results)
        inbox, work = self._inbox.read(), self._work.read()
        return Status(
            root=readable(str(self._layout.root)),
            running=running,
            pid=holder(self._layout.lock_file) if running else None,
            heartbeat=progress.heartbeat,
            stopping=progress.stopping,
            paused=progress.paused,
            inbox=inbox,
            work=work,
            done=self._done.read(),
            failed=self._failed.read(),
            images=self._images.read(),
            current=progress.in_hand[0] if progress.in_hand else None,
            remaining_s=_remaining_s(progress, inbox + work) if running else None,
            loading=progress.loading,
            worker=progress.worker,
            results=progress.results,
        )


def read_status(root: Path) -> Status:
    """The state of the hot folder `root`. Does not raise."""
    return StatusReader(root).read()


def _remaining_s(progress: Progress, files: int) -> float | None:
    """None during a pause. A file that has not been read yet counts as one picture."""
    if progress.paused:
        return None
    current = progress.in_hand[0] if progress.in_hand else None
    waiting = files - (1 if current else 0)
    return queue_remaining(
        current.remaining_s if current else None,
        max(waiting, 0) + (current.pictures - current.number if current else 0),
        [result.seconds for result in progress.results if result.seconds is not None],
        rendering=current is not None,
    )


def _is_dropped(name: str) -> bool:
    return not is_ignored(name) and not folded(name).endswith(ERROR_SUFFIX)


class _Count:
    """Counts entries of a folder, again only when its modification time has changed."""

    def __init__(self, folder: Path, counts: Callable[["os.DirEntry[str]"], bool]) -> None:
        self._folder = folder
        self._counts = counts
        self._known: tuple[int, int] | None = None

    def read(self) -> int:
        try:
            changed = self._folder.stat().st_mtime_ns
            if self._known and self._known[0] == changed:
                return self._known[1]
            count = sum(1 for entry in self._entries() if self._counts(entry))
        except OSError:
            self._known = None
            return 0
        settled = abs(time.time_ns() - changed) > _SETTLED_NS
        self._known = (changed, count) if settled else None
        return count

    def _entries(self) -> Iterator["os.DirEntry[str]"]:
        with os.scandir(self._folder) as entries:
            yield from entries
