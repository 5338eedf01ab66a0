"""Shows the hot folder's page again whenever it changes."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mpsdoctor.cli.display.status_page import lines, table
from mpsdoctor.hotfolder.status.status import Status, StatusReader

if TYPE_CHECKING:
    from rich.console import Console

_LOOK_S = 0.5


def changes(root: Path, stop: threading.Event) -> Iterator[Status]:
    """The state of the hot folder, whenever its page changes, until `stop` is set.

    The last state is read after `stop` was set.
    """
    reader, shown, stopped = StatusReader(root), None, False
    while True:
        status = reader.read()
        page = lines(status, time.time())
        if page != shown:
            shown = page
            yield status
        if stopped:
            return
        stopped = stop.wait(_LOOK_S)


def keep_page(root: Path, console: "Console", stop: threading.Event) -> None:
    """Updates the page in place on a terminal until `stop` is set, and leaves it there."""
    from rich.live import Live

    with Live(console=console, auto_refresh=False) as live:
        for status in changes(root, stop):
            live.update(table(status, time.time()), refresh=True)


@contextmanager
def page_kept(root: Path, console: "Console") -> Iterator[None]:
    """Runs `keep_page` in a thread. Reading the page is cheap; it is drawn only after a change."""
    stop = threading.Event()
    thread = threading.Thread(target=keep_page, args=(root, console, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
