"""The folder that the user drops files into: looked at again and again, claimed from in order."""

import contextlib
from collections.abc import Callable

from mpsdoctor.hotfolder.names import is_ignored
from mpsdoctor.hotfolder.spool import Job, Spool
from mpsdoctor.hotfolder.stability import Sight, Watched, complete, observe

_RETRY_S = 60.0


class Inbox:
    """Remembers what the inbox looked like. Times are monotonic, in seconds.

    `on_unmovable` hears, once, of each file that the system does not let go.
    """

    def __init__(
        self,
        spool: Spool,
        *,
        settle: float,
        patience: float,
        on_unmovable: Callable[[str, OSError], None],
    ) -> None:
        self._spool = spool
        self._settle = settle
        self._patience = patience
        self._on_unmovable = on_unmovable
        self._watched: dict[str, Watched] = {}
        self._unmovable: dict[str, float] = {}

    @property
    def is_settling(self) -> bool:
        """Whether there is something that may be complete soon."""
        return any(name not in self._unmovable for name in self._watched)

    def claim(self, now: float) -> Job | None:
        """Looks, and claims the oldest complete file.

        Raises MpsDoctorError where the hot folder has gone.
        """
        self._spool.layout.restore()
        self._watched = observe(self._watched, self._look(), now)
        self._unmovable = {
            name: since for name, since in self._unmovable.items() if name in self._watched
        }
        names = complete(self._watched, now, settle=self._settle, patience=self._patience)
        for name in names:
            if now - self._unmovable.get(name, float("-inf")) < _RETRY_S:
                continue
            try:
                job = self._spool.claim(name, self._watched[name].sight)
            except OSError as error:
                if name not in self._unmovable:
                    self._on_unmovable(name, error)
                self._unmovable[name] = now
                continue
            if job:
                return job
        return None

    def _look(self) -> dict[str, Sight]:
        """What is gone by the time it is looked at, be it the inbox itself, is not there."""
        sights = {}
        with contextlib.suppress(FileNotFoundError):
            for path in self._spool.layout.inbox.iterdir():
                if not is_ignored(path.name):
                    with contextlib.suppress(FileNotFoundError):
                        sights[path.name] = Sight.of(path.lstat())
        return sights
