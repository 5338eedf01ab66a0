"""A daemon whose disk refuses (ENOSPC, EIO, EPERM, EDEADLK) at each operation that it makes.

`python -m tests.support.disk_refusals FOLDER [SCENARIO ...] [--every]` prints how many refusals
there were, or ends with what did not hold. An operation is refused once, or together with those
that follow it for a while; each with one of the errors, in turn, or with `--every` in all of these
ways.
"""

import contextlib
import errno
import itertools
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from unittest import mock

from mpsdoctor.hotfolder.inbox import inbox
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.status.events import Event, Started
from tests.support.crash_scenarios import SCENARIOS, Scenario, Witness
from tests.support.disk import Operation, watched
from tests.support.forked_daemon import OnEvent, run_daemon, told

ERRORS: Final = (errno.ENOSPC, errno.EIO, errno.EPERM, errno.EDEADLK)
LONG: Final = 5
"""Operations that are refused in a row where trouble persists."""


class Refusing:
    """Refuses operations number `first` to `first + length - 1` with `code`, from `Started` on."""

    def __init__(
        self, layout: Layout, scenario: Scenario, first: int, length: int, code: int
    ) -> None:
        self._layout = layout
        self._scenario = scenario
        self._numbers = itertools.count()
        self._refused = range(first, first + length)
        self._code = code
        self._counts = False

    def hear(self, event: Event) -> None:
        self._counts = self._counts or isinstance(event, Started)

    def before(self, operation: Operation) -> None:
        self._scenario.before(self._layout, operation)
        if self._counts and next(self._numbers) in self._refused:
            os.write(2, f"refused with {errno.errorcode[self._code]}: {operation}\n".encode())
            path = operation.path or None
            raise OSError(self._code, os.strerror(self._code), path)

    def after(self, operation: Operation) -> None:
        self._scenario.after(self._layout, operation)


@contextlib.contextmanager
def _refusing(
    layout: Layout, scenario: Scenario, first: int, length: int, code: int
) -> Iterator[OnEvent]:
    refusing = Refusing(layout, scenario, first, length, code)
    with (
        mock.patch.object(inbox, "_RETRY_S", 0.05),  # EPERM may also mean that one file is locked
        watched(layout.root, refusing, by_link=scenario.by_link),
    ):
        yield refusing.hear


def refuse(folder: Path, scenario: Scenario, first: int, length: int, code: int) -> bool:
    """Whether there was an operation of this number. Raises AssertionError."""
    shutil.rmtree(folder, ignore_errors=True)
    layout, tape = Layout(folder / "hot"), folder / "tape"
    scenario.prepare(layout)
    witness = Witness(layout, scenario)
    end = run_daemon(layout, lambda: _refusing(layout, scenario, first, length, code), tape=tape)
    text = tape.read_text()
    try:
        assert not end.refused, "the daemon ended"
        assert not end.killed
        if any(path.is_dir() for path in layout.work.iterdir()):
            # An empty folder that could not be removed waits for the next start.
            run_daemon(layout, contextlib.nullcontext, tape=tape)
        witness.end()
        _attempts_are_not_counted(tape)
    except AssertionError as error:
        raise AssertionError(
            f"{scenario.name}: operation {first}, {length} times "
            f"{errno.errorcode[code]}: {error}\n{text[-5000:]}"
        ) from error
    return "refused with" in text


def _attempts_are_not_counted(tape: Path) -> None:
    """Each rendering is the first attempt: no other trouble than the disk's comes up here."""
    attempts = [event["attempt"] for event in told(tape) if event["kind"] == "Rendering"]
    assert set(attempts) <= {1}, attempts


def refuse_all(folder: Path, scenario: Scenario, *, every: bool) -> int:
    """How many refusals were tried."""
    ways = [(length, code) for code in ERRORS for length in (1, LONG)]
    tried = 0
    for first in itertools.count():
        chosen = ways if every else [ways[first % len(ways)]]
        came = [refuse(folder, scenario, first, length, code) for length, code in chosen]
        if not any(came):
            break
        tried += sum(came)
    return tried


def main(folder: str, *arguments: str) -> None:
    """Prints a line for each scenario in which every attempt is the first."""
    chosen = [word for word in arguments if word != "--every"]
    for scenario in SCENARIOS:
        if scenario.name in chosen or (not chosen and "crash" not in scenario.name):
            tried = refuse_all(Path(folder) / "refused", scenario, every="--every" in arguments)
            sys.stdout.write(f"{scenario.name:<30} {tried:>6} refusals\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
