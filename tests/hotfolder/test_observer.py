"""File events."""

import threading

import pytest

from mpsdoctor.hotfolder.layout import Layout
from mpsdoctor.hotfolder.observer import InboxObserver
from tests.support.hot_folder import drop, names


def test_it_wakes_on_a_drop_and_not_on_a_look(layout: Layout) -> None:
    """A new file is an event; looking into the inbox is none, or there would be no end of it."""
    woken = threading.Event()
    observer = InboxObserver(layout.inbox, woken.set)
    try:
        names(layout.inbox)
        assert not woken.wait(0.3)
        drop(layout, "cat.txt", "a cat")
        assert woken.wait(5)
    finally:
        observer.close()


def test_without_events_it_says_so_once(layout: Layout, caplog: pytest.LogCaptureFixture) -> None:
    """Events that cannot be had are a line in the log, nothing more."""
    layout.inbox.rmdir()
    observer = InboxObserver(layout.inbox, lambda: None)
    for _ in range(3):
        observer.check()
    observer.close()
    assert caplog.text.count("looked at regularly") == 1
