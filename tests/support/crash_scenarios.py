"""What is dropped, what the user has there already, and what must hold after any trouble."""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mpsdoctor.hotfolder.spool.images import record_in_picture
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.names import is_ignored
from mpsdoctor.hotfolder.spool.spool import PROMPT, REASON
from tests.support.disk import Operation

MINE: Final = ("images/cat.png", "done/cat.txt", "failed/cat.txt", "failed/cat.error.txt")
"""Files of the user, under names that the daemon would like to have."""

CUT_OFF: Final = "3 times"
PROBE: Final = ".mpsdoctor-probe"


def _nothing(_layout: Layout, _operation: Operation) -> None:
    return


@dataclass(frozen=True)
class Scenario:
    """`files` are dropped; `pictures` are published of them, `failed` of them end in failed/.

    `before` and `after` are what another program does around an operation of the daemon; `later`
    is what it drops then. `seeds` are those that a file asks for itself, by picture number.
    """

    name: str
    files: Mapping[str, bytes]
    pictures: frozenset[tuple[str, int]]
    failed: frozenset[str] = frozenset()
    before: Callable[[Layout, Operation], None] = _nothing
    after: Callable[[Layout, Operation], None] = _nothing
    by_link: bool = False
    later: Mapping[str, bytes] = field(default_factory=dict)
    seeds: Mapping[int, int] = field(default_factory=dict)

    def prepare(self, layout: Layout) -> None:
        """An empty hot folder in which the user has files, and the dropped ones."""
        layout.create()
        for place in MINE:
            (layout.root / place).write_bytes(b"mine " + place.encode())
        for name, content in self.files.items():
            (layout.inbox / name).write_bytes(content)


def _is_claim(operation: Operation) -> bool:
    return operation.name == "rename" and operation.target.endswith("/prompt.txt")


def _save_in_place(_layout: Layout, operation: Operation) -> None:
    """An editor that writes to the file at the very moment of the claim."""
    path = Path(operation.path)
    if _is_claim(operation) and b"mat" not in path.read_bytes():
        with open(path, "ab") as file:  # noqa: PTH123
            file.write(b" on a mat")


def _drop_another(layout: Layout, operation: Operation) -> None:
    """Under the name that the claimed file had."""
    if _is_claim(operation) and not _places(layout, b"a dog"):
        with open(layout.inbox / "cat.txt", "wb") as file:  # noqa: PTH123
            file.write(b"a dog")


_ONE = frozenset({("a cat", 1)})
SCENARIOS: Final = (
    Scenario("a prompt", {"cat.txt": b"a cat"}, _ONE),
    Scenario(
        "two pictures, one fails",
        {"cat.txt": b"--prompt cat --seed 7\n--prompt fail --seed 1"},
        frozenset({("--prompt cat", 1)}),
        failed=frozenset({"--prompt cat"}),
        seeds={1: 7},
    ),
    Scenario("no prompt", {"cat.txt": b"\x89PNG\0"}, frozenset(), failed=frozenset({"\x89PNG"})),
    Scenario("the worker crashes once", {"cat.txt": b"abort-once"}, frozenset({("abort-once", 1)})),
    Scenario("changed before the claim", {"cat.txt": b"a cat"}, _ONE, before=_save_in_place),
    Scenario(
        "changed, and its name taken",
        {"cat.txt": b"a cat"},
        _ONE | {("a dog", 1)},
        before=_save_in_place,
        after=_drop_another,
        later={"cat.txt": b"a dog"},
    ),
    Scenario("a prompt, by hard links", {"cat.txt": b"a cat"}, _ONE, by_link=True),
)
"""Prompts are told apart by how they begin."""


def _contents(scenario: Scenario) -> list[bytes]:
    """How each prompt begins, whatever is written to its end."""
    return [content[:12] for content in scenario.files.values()]


def _places(layout: Layout, beginning: bytes) -> list[Path]:
    """Files that hold this prompt, wherever they are."""
    folders = [layout.inbox, layout.done, layout.failed]
    folders += [path for path in layout.work.iterdir() if path.is_dir()]
    return [
        path
        for folder in folders
        for path in folder.iterdir()
        if path.is_file()
        and not path.name.endswith((".png", ".json", ".tmp", "error.txt"))
        and path.read_bytes().startswith(beginning)
    ]


def _seed(png: bytes) -> int:
    """As the stand-in worker notes it."""
    start = png.index(b"tEXtseed\0")
    length = int.from_bytes(png[start - 4 : start], "big")
    return int(png[start + 9 : start + 4 + length])


@dataclass
class Frozen:
    """What a job said of itself when it was last seen."""

    id: str
    seed: int
    attempts: dict[str, int]


class Witness:
    """Looks at one hot folder again and again, and remembers what must not change."""

    def __init__(self, layout: Layout, scenario: Scenario) -> None:
        self._layout = layout
        self._scenario = scenario
        self._jobs: dict[bytes, Frozen] = {}

    def look(self) -> None:
        """What holds at every moment. Raises AssertionError."""
        beginnings = _contents(self._scenario)
        for beginning in beginnings:
            places = _places(self._layout, beginning)
            inodes = {path.stat().st_ino for path in places}
            assert len(inodes) == 1, f"{beginning!r} lies in {places}"
            assert len(places) == 1 or self._scenario.by_link, f"{beginning!r} lies in {places}"
            for path in places:
                if path.name == "prompt.txt":
                    self._remember(beginning, path.with_name("job.json"))
        for place in MINE:
            assert (self._layout.root / place).read_bytes() == b"mine " + place.encode()
        self._published()

    def end(self, *, given_up: bool = False) -> None:
        """What holds when there is nothing left to do, besides.

        With `given_up`, a prompt may have ended after three attempts.
        """
        self.look()
        layout, scenario = self._layout, self._scenario
        assert not waiting(layout)
        assert not [path for path in layout.work.iterdir() if path.is_dir()]
        assert not list(layout.root.rglob(PROBE + "*"))
        published = self._published()
        failed = layout.failed.glob("*.error.txt")
        reasons = [path for path in failed if str(path.relative_to(layout.root)) not in MINE]
        if given_up and reasons and CUT_OFF in reasons[0].read_text():
            return
        beginnings = {*_contents(scenario), *(text[:12] for text in scenario.later.values())}
        for beginning in beginnings:
            (place,) = _places(layout, beginning)
            fails = any(beginning.startswith(text.encode("latin-1")) for text in scenario.failed)
            assert place.parent == (layout.failed if fails else layout.done), place
        assert len(reasons) == len(scenario.failed), reasons
        assert len(published) == len(scenario.pictures), published
        for beginning, frozen in self._jobs.items():
            for text, number in scenario.pictures:
                if beginning.startswith(text.encode()):
                    assert (frozen.id, number) in published, (frozen, published)

    def _published(self) -> dict[tuple[str, int], int]:
        """Seeds by job and number; every image is whole, and one of its kind."""
        images = [
            path
            for path in self._layout.images.iterdir()
            if str(path.relative_to(self._layout.root)) not in MINE
            and not path.name.startswith(PROBE)
        ]
        records = {path: record_in_picture(path) for path in images}
        assert all(records.values()), f"no whole PNG: {records}"
        found = Counter((record.job, record.picture) for record in records.values() if record)
        assert not found or max(found.values()) == 1, found
        seeds = {}
        for path, record in records.items():
            assert record
            seeds[record.job, record.picture] = _seed(path.read_bytes())
        for frozen in self._jobs.values():
            for (job, number), seed in seeds.items():
                if job == frozen.id:
                    due = self._scenario.seeds.get(number, (frozen.seed + number - 1) % 2**32)
                    assert seed == due, (frozen, seeds)
        return seeds

    def _remember(self, beginning: bytes, record: Path) -> None:
        now = json.loads(record.read_bytes())
        frozen = Frozen(record.parent.name, now["seed"], now["attempts"])
        before = self._jobs.get(beginning)
        if before and before.id == frozen.id:
            assert before.seed == frozen.seed
            for number, attempts in before.attempts.items():
                assert frozen.attempts[number] >= attempts, (before, frozen)
        elif before:
            # Only a claim that was undone, before anything was rendered, gives it another id.
            assert not any(before.attempts.values()), (before, frozen)
        self._jobs[beginning] = frozen


def waiting(layout: Layout) -> bool:
    """Whether something lies in the inbox, or has been claimed and is not done with."""
    with os.scandir(layout.inbox) as entries:
        if any(not is_ignored(entry.name) for entry in entries):
            return True
    return any(
        (folder / name).exists() for folder in layout.work.iterdir() for name in (PROMPT, REASON)
    )


def state_of(root: Path) -> tuple[Any, ...]:
    """What a restart finds there, with job ids, seeds and times left out."""
    entries = []
    for path in sorted(root.rglob("*")):
        name = re.sub(r"\d{20}-[0-9a-f]{8}", "ID", str(path.relative_to(root)))
        if not path.is_file() or path.name.startswith(("daemon", "status", "worker")):
            entries.append((name, ""))
        else:
            content = path.read_bytes()
            if path.name.endswith((".json", ".json.tmp", ".png")):
                content = re.sub(rb"\d{20}-[0-9a-f]{8}|\d{5,}", b"ID", content)
            if path.suffix == ".png":
                content = str(bool(record_in_picture(path))).encode()
            entries.append((name, content.decode("latin-1")))
    return tuple(entries)
