"""File events in the inbox, as a hint to look; the rescan is what counts.

Events can be dropped, come late, or end for good without a word (FSEvents, network volumes,
an inbox that was deleted and made again), so nothing depends on them but the delay.
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

# Looking into the inbox causes these itself.
_OF_READING = frozenset({"opened", "closed_no_write"})


class InboxObserver:
    """Calls `wake`, from a thread of its own, when something happens in `inbox`."""

    def __init__(self, inbox: Path, wake: Callable[[], None]) -> None:
        self._inbox = inbox
        self._waker = _Waker(wake)
        self._observer: BaseObserver | None = None
        self._watched: tuple[int, int] | None = None
        self._complained = False
        self._start(self._identity())

    def check(self) -> None:
        """Starts events again if they have ended, or the inbox is another folder than it was.

        The thread for a folder ends without a word when the folder is renamed or deleted
        (watchdog's FSEventsEmitter), and for other reasons that are only in the log. Where they
        cannot be had of a folder, they are not asked for again: watchdog leaks at each try.
        """
        identity = self._identity()
        if identity != self._watched or not (self._complained or self._is_alive()):
            self.close()
            self._start(identity)

    def close(self) -> None:
        """Returns when no more calls come."""
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
        except Exception as error:  # of watchdog's, whatever the system's backend raises
            if not self._complained:
                logger.warning(
                    "no file events from the inbox; it is looked at regularly", exc_info=error
                )
            self._complained = True
            return
        self._observer = observer
        self._complained = False

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
