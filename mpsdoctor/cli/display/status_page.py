"""The state of the hot folder as text. Pure."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING

import msgspec

from mpsdoctor.cli.display.format import duration, printable
from mpsdoctor.units import gib

if TYPE_CHECKING:
    from rich.table import Table

    from mpsdoctor.hotfolder.status.progress import Current, Result
    from mpsdoctor.hotfolder.status.status import Status

_SILENT_S = 60.0
_BAR_WIDTH = 30


def lines(status: "Status", now: float) -> list[str]:
    """The page as lines, for a pipe; `now` is in seconds since 1970."""
    return [f"{label:<10}  {printable(value)}".rstrip() for label, value in _rows(status, now)]


def as_json(status: "Status") -> str:
    """The page for programs, on one line; docs/watch.md describes the fields."""
    return msgspec.json.encode(status).decode()


def table(status: "Status", now: float) -> "Table":
    """The page for a terminal, with a bar for the current picture."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for label, value in _rows(status, now):
        grid.add_row(Text(label, "bold"), Text(printable(value), overflow="fold"))
        if label == "rendering" and status.current and status.current.steps:
            step, steps = status.current.step, status.current.steps
            grid.add_row("", ProgressBar(total=steps, completed=step, width=_BAR_WIDTH))
    return grid


def _rows(status: "Status", now: float) -> Iterator[tuple[str, str]]:
    """Label and value; a label is not repeated."""
    yield "hot folder", status.root
    yield "daemon", _daemon(status, now)
    yield from queue(status)
    for label, result in zip(_once("last"), reversed(status.results), strict=False):
        yield label, _result(result)
        for note in result.notes:
            yield "", f"  {note}"


def queue(status: "Status") -> Iterator[tuple[str, str]]:
    """What is rendered, what waits and why, as label and value. A value may have any character."""
    if status.paused:
        yield "paused", f"{status.paused.title}. {status.paused.hint}".strip()
    if status.running:
        yield "worker", _worker(status)
    if status.current:
        yield "rendering", _current(status.current)
    yield "waiting", _waiting(status)
    yield "in work", str(status.work)
    yield "done", f"{status.done}, {status.images} pictures"
    yield "failed", str(status.failed)


def _once(label: str) -> Iterator[str]:
    yield label
    while True:
        yield ""


def _daemon(status: "Status", now: float) -> str:
    if not status.running:
        return "not running"
    words = f"running, process {status.pid}"
    if status.stopping:
        words += ", stopping"
    if status.heartbeat is not None and now - status.heartbeat > _SILENT_S:
        words += f"; it has said nothing for {duration(now - status.heartbeat)}"
    return words


def _worker(status: "Status") -> str:
    if status.loading:
        return f"loading {status.loading}"
    if not (worker := status.worker):
        return "none; the next prompt starts one"
    parts = [f"{worker.model} on {worker.device}"]
    if worker.memory_bytes is not None:
        parts.append(gib(worker.memory_bytes))
    if worker.pid is not None:
        parts.append(f"process {worker.pid}")
    return ", ".join(parts)


def _current(current: "Current") -> str:
    parts = [current.name]
    if current.pictures > 1:
        parts.append(f"picture {current.number} of {current.pictures}")
    if current.attempt > 1:
        parts.append(f"attempt {current.attempt}")
    if current.steps:
        parts.append(f"step {current.step} of {current.steps}")
    if current.remaining_s is not None:
        parts.append(f"{duration(current.remaining_s)} left")
    return ", ".join(parts)


def _waiting(status: "Status") -> str:
    left = f", about {duration(status.remaining_s)} until all is done" if status.remaining_s else ""
    return f"{status.inbox}{left}"


def _result(result: "Result") -> str:
    if result.error is not None:
        see = f"; see {result.error_file}" if result.error_file else ""
        return f"{result.name}: {result.error}{see}"
    remedy = f", with {result.remedy}" if result.remedy else ""
    took = f" ({result.seconds:.1f} s{remedy})" if result.seconds is not None else ""
    return f"{result.name}: {PurePath(result.image or '').name}{took}"
