"""How a download looks: a bar on a terminal, a line a file elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from mpsdoctor.cli import output

if TYPE_CHECKING:
    from mpsdoctor.hub import cache
    from mpsdoctor.hub.model import RemoteFile
    from mpsdoctor.hub.plan import Plan


def line(file: "RemoteFile") -> str:
    """A file and its size."""
    return f"{file.path} ({decimal(file.size)})"


@contextmanager
def verifying() -> Iterator["cache.Progress"]:
    """While the files that are here are read."""
    with _bar() as bar:
        task = bar.add_task("Verifying", total=None)
        yield lambda file, done: bar.update(task, description=file.path, completed=done)


@contextmanager
def downloading(plan: "Plan") -> Iterator["cache.Progress"]:
    """While the plan is carried out; what has come stays when the user ends it."""
    here = {file.etag: plan.repository.here_bytes(file) for file in plan.missing}
    with _bar() as bar:
        total = sum(file.size for file in plan.missing)
        task = bar.add_task("", total=total, completed=sum(here.values()))
        started: set[str] = set()

        def show(file: "RemoteFile", done: int) -> None:
            if bar.disable and file.etag not in started:
                output.tell(line(file))
            started.add(file.etag)
            here[file.etag] = done
            bar.update(task, description=file.path, completed=sum(here.values()))

        try:
            yield show
        except KeyboardInterrupt:
            output.tell("What has come is kept: the same command goes on from there.")
            raise


def pause(error: Exception, seconds: float) -> None:
    """Between two attempts."""
    output.tell(f"The download broke off ({type(error).__name__}); it goes on in {seconds:g} s.")
    time.sleep(seconds)


def _bar() -> Progress:
    console = output.progress_console()
    return Progress(
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
