"""File events."""

import threading

import pytest

from mpsdoctor.hotfolder.layout import Layout
from mpsdoctor.hotfolder.observer import InboxObserver
from tests.support.jobs import drop, names


def test_it_wakes_on_a_drop_and_not_on_a_look(layout: Layout) -> None:
    """A new file is an event; looking into the inbox is none, or there would be no end of it."""
    woken = threading.Event()
    observer = InboxObserver(layout.inbox, woken.set)
    try:
        names(layout.inbox)
        observer.check()
        assert not woken.wait(0.3)
        drop(layout, "cat.txt", "a cat")
        assert woken.wait(5)
    finally:
        observer.close()


def test_it_goes_on_in_an_inbox_that_was_made_again(
    layout: Layout, caplog: pytest.LogCaptureFixture
) -> None:
    """Gone, the inbox is one line in the log; renamed and made again, it is watched again."""
    woken = threading.Event()
    observer = InboxObserver(layout.inbox, woken.set)
    try:
        for round_ in range(2):
            layout.inbox.rename(layout.root / f"renamed {round_}")
            for _ in range(3):
                observer.check()
            assert caplog.text.count("looked at regularly") == 1 + round_
            layout.inbox.mkdir()
            observer.check()
            woken.clear()
            drop(layout, "cat.txt", "a cat")
            assert woken.wait(5)
    finally:
        observer.close()


def test_it_starts_again_where_events_have_ended(layout: Layout) -> None:
    """A thread that ended without a word is replaced."""
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
