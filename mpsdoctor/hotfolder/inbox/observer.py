"""File events in the inbox, only a hint to look: the daemon also scans the inbox regularly.

Events can be dropped, be late, or end without notice: with FSEvents, on network volumes, or after
the inbox was deleted and created again. So only the delay depends on them.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

logger = logging.getLogger(__name__)

# The daemon causes these itself when it reads the inbox.
_OF_READING = frozenset({"opened", "closed_no_write"})


class InboxObserver:
    """Calls `wake`, from another thread, when something happens in `inbox`."""

    def __init__(self, inbox: Path, wake: Callable[[], None]) -> None:
        self._inbox = inbox
        self._waker = _Waker(wake)
        self._observer: BaseObserver | None = None
        self._watched: tuple[int, int] | None = None
        self._warned = False
        self._start(self._identity())

    def check(self) -> None:
        """Restarts events if they have ended or the inbox is now another folder.

        The thread for a folder ends silently when the folder is renamed or deleted (watchdog's
        FSEventsEmitter). Other reasons are only in the log. After a refusal it does not try the
        same folder again, because each try leaks in watchdog.
        """
        identity = self._identity()
        if identity != self._watched or not (self._warned or self._is_alive()):
            self.close()
            self._start(identity)

    def close(self) -> None:
        """Stops the events; `wake` is not called after it returns."""
        observer, self._observer = self._observer, None
        if observer and observer.is_alive():
            observer.stop()
            observer.join()

    def _start(self, identity: tuple[int, int] | None) -> None:
        self._watched = identity
        if identity is None:
            return
        observer = Observer()
        try:
            observer.schedule(self._waker, str(self._inbox), recursive=False)
            observer.start()
        except Exception as error:  # watchdog raises whatever the system's backend does
            if not self._warned:
                logger.warning(
                    "no file events from the inbox; it is scanned regularly instead", exc_info=error
                )
            self._warned = True
            return
        self._observer = observer
        self._warned = False

    def _is_alive(self) -> bool:
        observer = self._observer
        return observer is not None and all(
            thread.is_alive() for thread in (observer, *observer.emitters)
        )

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = self._inbox.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino


class _Waker(FileSystemEventHandler):
    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in _OF_READING:
            self._wake()
