"""Power cuts by replay: the disk as it may be when unflushed operations are lost.

`python -m tests.support.power_loss FOLDER [--all]` records what a daemon does to its disk, then
builds for each moment the states that a power cut may leave: every operation so far on disk; only
those that were flushed; all but any single one that was not. From each state that is new
the spool recovers, and a daemon is started on what is new of that; the invariants of
`crash_scenarios` must hold. Without `--all` that is done for the first scenario only.

The model of the disk: a file's content is safe once the file is flushed, else it may be missing,
or half of it. A name's making, move or removal is safe once all folders that it concerns are
flushed; a move happens as a whole or not at all. Operations that no longer make sense, because an
earlier one is lost, are lost too.
"""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

import msgspec

from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.recovery import recover
from mpsdoctor.hotfolder.spool.spool import JOB, PROMPT, Spool
from mpsdoctor.hotfolder.worker.process import WorkerProcess
from mpsdoctor.records import Record
from mpsdoctor.rendering.protocol import Command, RenderJob
from tests.support.crash_scenarios import SCENARIOS, Scenario, Witness, state_of
from tests.support.disk import Operation, watched
from tests.support.forked_daemon import run_daemon

_NAMING: Final = frozenset({"mkdir", "rename", "replace", "unlink", "rmdir", "link"})


class Change(Record):
    """An operation on disk, with paths relative to the hot folder.

    `flush` has a file's path and content, or a folder's path, as they were then: so what another
    process wrote is recorded too. `told` is not a change: the worker is told of a picture.
    """

    name: str
    path: str
    target: str = ""
    data: bytes = b""
    folder: bool = False


@dataclass
class Recorder:
    """Writes each change to a file as it happens, in the daemon's process."""

    root: Path
    tape: int

    def before(self, operation: Operation) -> None:
        if operation.name == "flush":
            self._flush(operation.inode)
        elif operation.name == "open" and operation.writing:
            self._note("create", operation)
        elif operation.name in ("mkdir", "rmdir", "unlink", "touch"):
            exists = os.path.lexists(operation.path)
            if exists != (operation.name in ("mkdir", "touch")):
                self._note("create" if operation.name == "touch" else operation.name, operation)
        elif operation.name in _NAMING or operation.name == "write":
            self._note(operation.name, operation)

    def after(self, _operation: Operation) -> None:
        return

    def _note(self, name: str, operation: Operation) -> None:
        self._write(
            Change(
                name=name,
                path=self._relative(operation.path),
                target=self._relative(operation.target) if operation.target else "",
                data=operation.data,
            )
        )

    def _flush(self, inode: int) -> None:
        for path in (self.root, *self.root.rglob("*")):
            if path.stat().st_ino == inode:
                folder = os.path.isdir(path)  # noqa: PTH112
                with contextlib.nullcontext() if folder else open(path, "rb") as file:  # noqa: PTH123
                    data = file.read() if file else b""
                place = self._relative(str(path))
                self._write(Change(name="flush", path=place, data=data, folder=folder))
                return

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self.root)

    def _write(self, change: Change) -> None:
        os.write(self.tape, msgspec.json.encode(change) + b"\n")

    def tell(self, command: Command) -> None:
        if isinstance(command, RenderJob):
            self._write(Change(name="told", path=command.job))


@contextlib.contextmanager
def _recorded(layout: Layout, tape: Path) -> Iterator[None]:
    descriptor = os.open(tape, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    recorder = Recorder(layout.root, descriptor)
    send = WorkerProcess.send

    def sending(worker: WorkerProcess, command: Command) -> None:
        recorder.tell(command)
        send(worker, command)

    with (
        mock.patch.object(WorkerProcess, "send", sending),
        watched(layout.root, recorder),
    ):
        yield


def record(folder: Path, scenario: Scenario) -> list[Change]:
    """The changes that a daemon makes from its start to its end."""
    layout, tape = Layout(folder / "hot"), folder / "changes"
    scenario.prepare(layout)
    end = run_daemon(layout, lambda: _recorded(layout, tape), tape=folder / "tape")
    assert not end.killed
    assert not end.refused
    Witness(layout, scenario).end()
    lines = tape.read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Change) for line in lines]


def unsafe(changes: Sequence[Change]) -> list[int]:
    """The numbers of those that a power cut after the last one may undo."""
    left: dict[int, set[str]] = {}
    for number, change in enumerate(changes):
        if change.name == "told":
            continue
        if change.name == "flush":
            for waits in left.values():
                waits.discard(change.path)
        elif change.name == "write":
            left[number] = {change.path}
        else:
            places = (change.path, change.target) if change.target else (change.path,)
            left[number] = {os.path.dirname(place) or "." for place in places}  # noqa: PTH120
        if change.name in ("rename", "replace"):
            # What is flushed or not goes along with the name.
            for waits in left.values():
                if change.path in waits:
                    waits.discard(change.path)
                    waits.add(change.target)
    return [number for number, waits in left.items() if waits]


@dataclass(frozen=True)
class Cut:
    """A state of the disk: the first `length` changes without those `lost`, or halves of them."""

    length: int
    lost: frozenset[int] = frozenset()
    torn: frozenset[int] = frozenset()

    @property
    def gone(self) -> list[int]:
        """Their numbers."""
        return sorted(self.lost | self.torn)


def cuts(changes: Sequence[Change]) -> Iterator[Cut]:
    """After each change: nothing lost, all that may be, each single one, each write half."""
    for length in range(len(changes) + 1):
        numbers = unsafe(changes[:length])
        yield Cut(length)
        yield Cut(length, lost=frozenset(numbers))
        for number in numbers:
            yield Cut(length, lost=frozenset({number}))
            if changes[number].name == "write":
                yield Cut(length, torn=frozenset({number}))


def build(root: Path, changes: Sequence[Change], cut: Cut) -> None:
    """Makes the changes that the cut leaves, in the folder as it was at first."""
    for number, change in enumerate(changes[: cut.length]):
        if number in cut.lost:
            continue
        if number in cut.torn:
            change = msgspec.structs.replace(change, data=change.data[: len(change.data) // 2])
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, FileExistsError):
            _make(root / change.path, root / change.target, change)


def _make(path: Path, target: Path, change: Change) -> None:
    match change.name:
        case "create":
            path.write_bytes(b"")
        case "write":
            with path.open("r+b") as file:
                file.seek(0, os.SEEK_END)
                file.write(change.data)
        case "flush":
            if not change.folder and path.parent.is_dir():
                _flushed(path, change.data)
        case "rename" if target.exists():
            raise FileExistsError
        case "rename" | "replace":
            path.replace(target)
        case "mkdir":
            path.mkdir()
        case "unlink":
            path.unlink()
        case "rmdir":
            with contextlib.suppress(OSError):  # what was lost was to empty it
                path.rmdir()
        case _:
            pass  # told: nothing on disk


def _flushed(path: Path, data: bytes) -> None:
    """What another process wrote comes to light with its flush; its name is then made, too."""
    if path.suffix == ".png" and not path.exists():
        path.write_bytes(data)


@dataclass
class Count:
    """Moments of the run, states that a power cut may leave, those not alike, and new starts."""

    moments: int = 0
    states: int = 0
    distinct: int = 0
    starts: int = 0


def replay(folder: Path, scenario: Scenario) -> Count:
    """Raises AssertionError with the cut after which something did not hold."""
    folder.mkdir(parents=True)
    changes = record(folder, scenario)
    layout, tape = Layout(folder / "hot"), folder / "tape"
    count = Count(moments=len(changes) + 1)
    known: set[tuple[Any, ...]] = set()
    recovered: set[tuple[Any, ...]] = set()
    for cut in cuts(changes):
        count.states += 1
        shutil.rmtree(layout.root)
        scenario.prepare(layout)
        build(layout.root, changes, cut)
        state = state_of(layout.root)
        if state in known:
            continue
        known.add(state)
        count.distinct += 1
        witness = Witness(layout, scenario)
        try:
            witness.look()
            _require_counted(layout, changes[: cut.length])
            recover(Spool(layout))
            witness.look()
            state = state_of(layout.root)
            if state in recovered:
                continue
            recovered.add(state)
            count.starts += 1
            end = run_daemon(layout, contextlib.nullcontext, tape=tape)
            assert not end.refused
            witness.end()
        except AssertionError as error:
            raise AssertionError(
                f"{scenario.name}: {_told(changes, cut)}: {error}\n{tape.read_text()[-3000:]}"
            ) from error
    return count


def _require_counted(layout: Layout, changes: Sequence[Change]) -> None:
    """The attempt of a picture that the worker was told of, while its prompt is in .work/."""
    for change in changes:
        folder = layout.work / change.path
        if change.name == "told" and (folder / PROMPT).exists():
            attempts = {}
            with contextlib.suppress(FileNotFoundError, ValueError):
                attempts = msgspec.json.decode((folder / JOB).read_bytes())["attempts"]
            assert any(attempts.values()), f"the worker was told, and {attempts} are counted"


def _told(changes: Sequence[Change], cut: Cut) -> str:
    """Which cut it was."""
    last = changes[cut.length - 1] if cut.length else "nothing"
    lost = [f"{change.name} {change.path}" for change in map(changes.__getitem__, cut.gone)]
    return f"after {last}, {'half of ' if cut.torn else ''}{lost} lost"


def main(folder: str, *arguments: str) -> None:
    """Prints a line for each scenario."""
    scenarios = [scenario for scenario in SCENARIOS if not scenario.by_link]
    quiet = [scenario for scenario in scenarios if "changed" not in scenario.name]
    for scenario in quiet if "--all" in arguments else quiet[:1]:
        count = replay(Path(folder) / scenario.name, scenario)
        sys.stdout.write(
            f"{scenario.name:<30} {count.moments:>5} moments {count.states:>6} states "
            f"{count.distinct:>5} distinct {count.starts:>5} new starts\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
