"""File events."""

import errno
import threading
from typing import Any

import pytest
from watchdog.observers.api import BaseObserver, EventEmitter, ObservedWatch

from mpsdoctor.hotfolder.inbox.observer import InboxObserver
from mpsdoctor.hotfolder.spool.layout import Layout
from tests.support.jobs import drop, names


def test_it_wakes_on_a_drop_and_not_on_a_look(layout: Layout) -> None:
    """A new file wakes the daemon; reading the inbox does not, or it would never rest."""
    woken = threading.Event()
    observer = InboxObserver(layout.inbox, woken.set)
    try:
        path = drop(layout, "cat.txt", "a cat")
        assert woken.wait(5)
        while woken.wait(0.1):
            woken.clear()
        names(layout.inbox)
        path.read_text()
        observer.check()
        assert not woken.wait(0.3)
        path.unlink()
        assert woken.wait(5)
    finally:
        observer.close()


def test_it_continues_in_an_inbox_that_was_created_again(
    layout: Layout, caplog: pytest.LogCaptureFixture
) -> None:
    """While it is gone nothing is tried, as that leaks; created again, it is watched again."""
    woken = threading.Event()
    observer = InboxObserver(layout.inbox, woken.set)
    try:
        for round_ in range(2):
            layout.inbox.rename(layout.root / f"renamed {round_}")
            observer.check()
            threads = threading.active_count()
            for _ in range(3):
                observer.check()
            assert threading.active_count() == threads
            assert not caplog.text
            layout.inbox.mkdir()
            observer.check()
            woken.clear()
            drop(layout, "cat.txt", "a cat")
            assert woken.wait(5)
    finally:
        observer.close()


def test_events_that_the_system_refuses_are_requested_once(
    layout: Layout, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may have none left; the log says so once."""
    asked: list[str] = []

    class Refused(BaseObserver):
        def schedule(self, *args: Any, **_: object) -> ObservedWatch:
            asked.append(args[1])
            raise OSError(errno.EMFILE, "inotify instance limit reached")

    monkeypatch.setattr(
        "mpsdoctor.hotfolder.inbox.observer.Observer", lambda: Refused(EventEmitter)
    )
    observer = InboxObserver(layout.inbox, lambda: None)
    for _ in range(3):
        observer.check()
    assert asked == [str(layout.inbox)]
    assert caplog.text.count("scanned regularly instead") == 1


def test_it_starts_again_where_events_have_ended(layout: Layout) -> None:
    """A thread that ended silently is replaced."""
    woken = threading.Event()
    observer = InboxObserver(layout.inbox, woken.set)
    try:
        assert observer._observer
        for emitter in observer._observer.emitters:
            emitter.stop()
            emitter.join()
        observer.check()
        drop(layout, "cat.txt", "a cat")
        assert woken.wait(5)
    finally:
        observer.close()
