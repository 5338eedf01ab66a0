"""A daemon killed (SIGKILL) before and after every step that it takes, and started again.

`python -m tests.support.crash_points FOLDER [SCENARIO ...] [--twice] [--every]` prints how many
points there were in each scenario, or ends with what did not hold. Steps are the changes that the
daemon makes to the disk, what it tells the worker, and what it hears. `--twice` also kills the
recovery from each kill at each of its own steps. From states that are alike on disk the daemon is
started again once, or each time with `--every`.
"""

import contextlib
import copy
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

from mpsdoctor.hotfolder import queue
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.recovery import recover
from mpsdoctor.hotfolder.spool.spool import Spool
from mpsdoctor.hotfolder.status.events import Event
from mpsdoctor.hotfolder.worker.process import WorkerProcess
from tests.support.crash_scenarios import SCENARIOS, Scenario, Witness, state_of
from tests.support.disk import READING, Operation, watched
from tests.support.forked_daemon import OnEvent, run_daemon


class Executioner:
    """Kills this process before its step of a number; steps are counted while `armed`.

    The end of a step and the beginning of the next are two points.
    """

    def __init__(self, scenario: Scenario, layout: Layout, point: int, last: Path) -> None:
        self._scenario = scenario
        self._layout = layout
        self._left = point
        self._last = last
        self._counts = False
        self.armed = True

    def reach(self, what: str) -> None:
        """A point."""
        if not self.armed:
            return
        if self._left == 0:
            self._last.write_text(what)
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1

    def before(self, operation: Operation) -> None:
        self._scenario.before(self._layout, operation)
        self._counts = _is_change(operation)
        if self._counts:
            self.reach(f"before {operation}")
            if operation.name == "write":
                self._write_half(operation)

    def after(self, operation: Operation) -> None:
        self._scenario.after(self._layout, operation)
        if self._counts:
            self.reach(f"after {operation}")

    def _write_half(self, operation: Operation) -> None:
        if self.armed and self._left == 0:
            half = operation.data[: len(operation.data) // 2]
            with open(operation.path, "ab") as file:  # noqa: PTH123
                file.write(half)
            self.reach(f"in the middle of {operation}")
        elif self.armed:
            self._left -= 1

    def hear(self, event: Event) -> None:
        self.reach(f"when it told of {type(event).__name__}")


def _is_change(operation: Operation) -> bool:
    if operation.name == "open":
        return operation.writing
    if operation.name == "mkdir":
        return not os.path.isdir(operation.path)  # noqa: PTH112
    return operation.name not in READING


@contextlib.contextmanager
def _killed(
    layout: Layout, scenario: Scenario, point: int, last: Path, *, only_recovery: bool
) -> Iterator[OnEvent]:
    """In the daemon's process."""
    executioner = Executioner(scenario, layout, point, last)
    executioner.armed = not only_recovery
    send = WorkerProcess.send

    def sending(worker: WorkerProcess, command: Any) -> None:
        executioner.reach(f"before the worker is told {type(command).__name__}")
        send(worker, command)
        executioner.reach(f"after the worker is told {type(command).__name__}")

    def recovering(spool: Spool) -> Any:
        executioner.armed = True
        try:
            return recover(spool)
        finally:
            executioner.armed = not only_recovery

    with (
        mock.patch.object(WorkerProcess, "send", sending),
        mock.patch.object(queue, "recover", recovering),
        watched(layout.root, executioner, by_link=scenario.by_link),
    ):
        yield executioner.hear


@contextlib.contextmanager
def _undisturbed(layout: Layout, scenario: Scenario) -> Iterator[None]:
    """No kill; the user's programs continue."""
    executioner = Executioner(scenario, layout, -1, Path())
    executioner.armed = False
    with watched(layout.root, executioner, by_link=scenario.by_link):
        yield


@dataclass
class Count:
    """Points tried: kills, kills of the recovery from these, and new starts."""

    once: int = 0
    twice: int = 0
    starts: int = 0


class Trial:
    """One scenario in `folder`."""

    def __init__(self, folder: Path, scenario: Scenario, *, every: bool) -> None:
        self._layout = Layout(folder / "hot")
        self._kept = folder / "kept"
        self._tape = folder / "tape"
        self._last = folder / "last"
        self._scenario = scenario
        self._every = every
        self._proved: set[tuple[Any, ...]] = set()
        self.count = Count()

    def run(self, *, twice: bool) -> Count:
        """Raises AssertionError with the point at which something did not hold."""
        point = 0
        while self._kill_at(point, twice=twice):
            point += 1
        return self.count

    def _kill_at(self, point: int, *, twice: bool) -> bool:
        """Whether the daemon was killed there: it is not when it has taken fewer steps."""
        shutil.rmtree(self._layout.root, ignore_errors=True)
        self._scenario.prepare(self._layout)
        witness = Witness(self._layout, self._scenario)
        killed = self._kill(point, only_recovery=False)
        with self._explained(point):
            if not killed:
                witness.end()
                return False
            self.count.once += 1
            witness.look()
            state = state_of(self._layout.root)
            if state in self._proved and not self._every:
                return True
            if twice:
                self._kill_recoveries(witness)
            self._start_again(witness)
            self._proved.add(state)
        return True

    def _kill_recoveries(self, witness: Witness) -> None:
        """Leaves the folder as it was."""
        _copy(self._layout.root, self._kept)
        for point in range(1000):
            if not self._kill(point, only_recovery=True):
                break
            self.count.twice += 1
            again = copy.deepcopy(witness)
            again.look()
            state = state_of(self._layout.root)
            if state not in self._proved or self._every:
                self._start_again(again, given_up=True)
                self._proved.add(state)
            _copy(self._kept, self._layout.root)
        _copy(self._kept, self._layout.root)

    def _kill(self, point: int, *, only_recovery: bool) -> bool:
        """What is done when the recovery is over does not matter then."""
        layout, scenario = self._layout, self._scenario
        end = run_daemon(
            layout,
            lambda: _killed(layout, scenario, point, self._last, only_recovery=only_recovery),
            tape=self._tape,
        )
        assert not end.refused
        return end.killed

    def _start_again(self, witness: Witness, *, given_up: bool = False) -> None:
        self.count.starts += 1
        layout, scenario = self._layout, self._scenario
        end = run_daemon(layout, lambda: _undisturbed(layout, scenario), tape=self._tape)
        assert not end.killed
        assert not end.refused
        witness.end(given_up=given_up)

    @contextlib.contextmanager
    def _explained(self, point: int) -> Iterator[None]:
        try:
            yield
        except AssertionError as error:
            last = self._last.read_text() if self._last.exists() else "the end"
            raise AssertionError(
                f"{self._scenario.name}: killed at point {point} ({last}): {error}\n"
                f"{self._tape.read_text()[-3000:]}"
            ) from error


def _copy(folder: Path, to: Path) -> None:
    """In place of what is there; two names of one file stay two names of one file."""
    copies: dict[int, str] = {}

    def copy_file(source: str, target: str) -> None:
        inode = os.lstat(source).st_ino
        if inode in copies:
            os.link(copies[inode], target)
        else:
            shutil.copy2(source, target)
            copies[inode] = target

    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to, copy_function=copy_file)


def table(counts: dict[str, Count]) -> str:
    """What was tried, a line for each scenario."""
    lines = [f"{'scenario':<30} {'kills':>6} {'of recovery':>12} {'new starts':>11}"]
    total = Count()
    for name, count in counts.items():
        lines.append(f"{name:<30} {count.once:>6} {count.twice:>12} {count.starts:>11}")
        total = Count(
            total.once + count.once, total.twice + count.twice, total.starts + count.starts
        )
    lines.append(f"{'points tried':<30} {total.once:>6} {total.twice:>12} {total.starts:>11}")
    return "\n".join(lines) + "\n"


_FLAGS: Final = ("--twice", "--every")


def main(folder: str, *arguments: str) -> None:
    """Prints the table."""
    chosen = [word for word in arguments if word not in _FLAGS]
    counts = {}
    for scenario in SCENARIOS:
        if not chosen or scenario.name in chosen:
            place = Path(folder) / scenario.name
            place.mkdir(parents=True)
            trial = Trial(place, scenario, every="--every" in arguments)
            counts[scenario.name] = trial.run(twice="--twice" in arguments)
    sys.stdout.write(table(counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
