"""File events in the inbox, as a hint to look; the rescan is what counts.

Events can be dropped, come late, or end for good without a word (FSEvents, network volumes,
an inbox that was deleted and made again), so nothing depends on them but the delay.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

logger = logging.getLogger(__name__)

# Looking into the inbox causes these itself.
_OF_READING = frozenset({"opened", "closed_no_write"})


class InboxObserver:
    """Calls `wake`, from a thread of its own, when something happens in `inbox`."""

    def __init__(self, inbox: Path, wake: Callable[[], None]) -> None:
        self._observer = Observer()
        self._running = False
        try:
            self._observer.schedule(_Waker(wake), str(inbox), recursive=False)
            self._observer.start()
            self._running = True
        except Exception as error:
            self._give_up(error)

    def check(self) -> None:
        """Notes in the log, once, when events have ended."""
        threads = (self._observer, *self._observer.emitters)
        if self._running and not all(thread.is_alive() for thread in threads):
            self._give_up()

    def close(self) -> None:
        """Returns when no more calls come."""
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()

    def _give_up(self, error: Exception | None = None) -> None:
        self._running = False
        logger.warning("no file events from the inbox; it is looked at regularly", exc_info=error)


class _Waker(FileSystemEventHandler):
    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in _OF_READING:
            self._wake()
