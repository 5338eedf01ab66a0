"""The folder that the user drops files into: scanned from time to time, claimed in order."""

import errno
import os
from collections.abc import Callable, Iterator

from mpsdoctor.hotfolder.inbox.stability import Watched, complete_at, observe
from mpsdoctor.hotfolder.spool.file_state import FileState
from mpsdoctor.hotfolder.spool.job import Job
from mpsdoctor.hotfolder.spool.names import is_ignored
from mpsdoctor.hotfolder.spool.spool import Spool, UnmovableError

_RETRY_S = 60.0
_LOOK_S_PER_FILE = 1e-3
_IN_CLOUD = "it is only in the cloud; choose Download Now in Finder"
_BEING_COPIED = "Finder has not finished copying it; if that does not change, drop it again"


class Inbox:
    """Remembers how the inbox looked. Times are monotonic, in seconds.

    A file is complete when it has not changed for `settle` seconds (`settle_empty` for empty
    files and folders). `on_unmovable` is called once for each file that cannot be claimed.
    """

    def __init__(
        self,
        spool: Spool,
        *,
        settle: float,
        settle_empty: float,
        on_unmovable: Callable[[str, OSError], None],
    ) -> None:
        self._spool = spool
        self._settle = settle
        self._settle_empty = settle_empty
        self._on_unmovable = on_unmovable
        self._watched: dict[str, Watched] = {}
        self._ready: list[str] = []
        self._retry_at: dict[str, float] = {}
        self._reported: set[str] = set()
        self._looked_at = float("-inf")

    def claim(self, now: float) -> Job | None:
        """Claims the oldest complete file.

        The folder is listed when no file is ready, and otherwise only rarely. A file that is ready
        is checked again when its turn comes. Raises OSError if the disk or the folder fails.
        """
        if not self._ready or now - self._looked_at >= self._pause_between_looks():
            self._look(now)
        while self._ready:
            name = self._ready.pop()
            try:
                job = self._claim(name)
            except UnmovableError as unmovable:
                self._retry_at[name] = now + _RETRY_S
                self._report(name, unmovable.error)
                continue
            if job:
                return job
        return None

    def due(self, now: float) -> float | None:
        """Seconds until a file is complete, if nothing changes; None if there is no file."""
        if self._ready:
            return 0.0
        times = [at for name in self._watched if (at := self._ready_at(name)) is not None]
        return max(0.0, min(times) - now) if times else None

    def _claim(self, name: str) -> Job | None:
        watched = self._watched.pop(name)
        try:
            state = FileState.of((self._spool.layout.inbox / name).lstat())
        except FileNotFoundError:
            return None
        return self._spool.claim(name, state) if state == watched.state else None

    def _report(self, name: str, error: OSError) -> None:
        if name not in self._reported:
            self._reported.add(name)
            self._on_unmovable(name, error)

    def _pause_between_looks(self) -> float:
        return max(self._settle, _LOOK_S_PER_FILE * len(self._watched))

    def _look(self, now: float) -> None:
        self._watched = observe(self._watched, dict(self._states()), now)
        self._retry_at = {n: at for n, at in self._retry_at.items() if n in self._watched}
        self._reported &= self._watched.keys()
        self._looked_at = now
        ready = []
        for name, watched in self._watched.items():
            state = watched.state
            if (state.dataless or state.busy) and now - watched.since >= self._settle_empty:
                why = _IN_CLOUD if state.dataless else _BEING_COPIED
                self._report(name, OSError(errno.EDEADLK, why, name))
            at = self._ready_at(name)
            if at is not None and at <= now:
                ready.append((watched.state.mtime_ns, name))
        self._ready = [name for _, name in sorted(ready, reverse=True)]

    def _ready_at(self, name: str) -> float | None:
        at = complete_at(self._watched[name], settle=self._settle, settle_empty=self._settle_empty)
        return None if at is None else max(at, self._retry_at.get(name, at))

    def _states(self) -> Iterator[tuple[str, FileState]]:
        """Leaves out a file that has gone since it was listed."""
        with os.scandir(self._spool.layout.inbox) as entries:
            for entry in entries:
                if not is_ignored(entry.name):
                    try:
                        yield entry.name, FileState.of(entry.stat(follow_symlinks=False))
                    except FileNotFoundError:
                        continue
