"""Jobs on disk under any order of events: hypothesis drives the spool, the user and the power."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.spool.file_state import FileState
from mpsdoctor.hotfolder.spool.images import record_in_picture
from mpsdoctor.hotfolder.spool.job import Failure, Job, is_settled, open_pictures
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.recovery import recover
from mpsdoctor.hotfolder.spool.spool import Spool
from tests.support.jobs import PowerCutError, cut_after, drop, freeze, nfd, rendered

pytestmark = pytest.mark.heavy

REASON = MpsDoctorError("It did not work")
NAMES = ("cat.txt", "CAT.txt", "cat-2.txt", "é.txt", nfd("é.txt"), "a.b.txt", "x.jpg")
PICTURES = 3
ENOUGH = 10**6
POWER = st.integers(0, 12) | st.just(ENOUGH)


class SpoolAtRandom(RuleBasedStateMachine):
    """`self.jobs` is what a daemon has in memory; None while no daemon runs."""

    by_link: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.layout = Layout(Path(tempfile.mkdtemp()) / "hot")
        self.layout.create()
        self.spool = Spool(self.layout)
        self.jobs: list[Job] | None = []
        self.dropped: list[bytes] = []
        self.mine: dict[Path, bytes] = {}

    def do(self, power: int, change: Callable[[], Job | None]) -> None:
        """A step of the daemon on its first job; the power lasts for so many changes."""
        assert self.jobs is not None
        try:
            with cut_after(power, by_link=self.by_link):
                job = change()
        except PowerCutError:
            self.jobs = None
            return
        self.jobs[:1] = [job] if job else []

    def first(self) -> Job:
        assert self.jobs
        return self.jobs[0]

    def number(self) -> int:
        return next(iter(open_pictures(self.first())), 0)

    # The user.

    @rule(name=st.sampled_from(NAMES))
    def drop(self, name: str) -> None:
        if not (self.layout.inbox / name).exists():
            self.dropped.append(b"prompt %d" % len(self.dropped))
            drop(self.layout, name, self.dropped[-1])

    @rule(
        folder=st.sampled_from(["images", "done", "failed"]),
        name=st.sampled_from([*NAMES, "cat.png", "cat-2.error.txt"]),
    )
    def put_own_file(self, folder: str, name: str) -> None:
        path = self.layout.root / folder / name
        if not path.exists():
            path.write_bytes(b"mine")
            self.mine[path] = b"mine"

    @rule(name=st.uuids())
    def rename_an_image(self, name: object) -> None:
        for path in sorted(self.layout.images.iterdir())[:1]:
            if path not in self.mine:
                path.rename(path.with_name(f"{name}.png"))

    # The daemon.

    @precondition(lambda self: self.jobs is None)
    @rule(power=POWER)
    def start(self, power: int) -> None:
        try:
            with cut_after(power, by_link=self.by_link):
                jobs = recover(self.spool)
        except PowerCutError:
            return
        self.jobs = [freeze(self.spool, job, PICTURES) for job in jobs]

    @precondition(lambda self: self.jobs is not None)
    @rule(power=POWER)
    def claim(self, power: int) -> None:
        def change() -> Job | None:
            paths = [path for path in self.layout.inbox.iterdir() if path.name[0] != "."]
            for path in sorted(paths)[:1]:
                if job := self.spool.claim(path.name, FileState.of(path.lstat())):
                    assert self.jobs is not None
                    self.jobs.insert(0, freeze(self.spool, job, PICTURES))
            return self.jobs[0] if self.jobs else None

        self.do(power, change)

    @precondition(lambda self: self.jobs and self.number())
    @rule(power=POWER)
    def publish(self, power: int) -> None:
        def change() -> Job:
            job = rendered(self.spool, self.first(), self.number())
            return self.spool.publish(job, self.number())[0]

        self.do(power, change)

    @precondition(lambda self: self.jobs and self.number())
    @rule(power=POWER, given_back=st.booleans())
    def lose(self, power: int, given_back: bool) -> None:
        def change() -> Job:
            number = self.number()
            job = self.spool.begin_attempt(self.first(), number)
            if given_back:
                return self.spool.give_back_attempt(job, number)
            return self.spool.note_loss(job, number, "SIGABRT")

        self.do(power, change)

    @precondition(lambda self: self.jobs and self.number())
    @rule(power=POWER)
    def fail_picture(self, power: int) -> None:
        failure = Failure.of(REASON)
        self.do(power, lambda: self.spool.note_failure(self.first(), self.number(), failure))

    @precondition(lambda self: self.jobs and self.first().pictures)
    @rule(power=POWER, whole=st.booleans())
    def end(self, power: int, whole: bool) -> None:
        def change() -> None:
            if is_settled(self.first()):
                self.spool.settle(self.first())
            elif whole:
                self.spool.fail(self.first(), REASON)

        if whole or is_settled(self.first()):
            self.do(power, change)

    # What always holds.

    @invariant()
    def every_prompt_is_in_one_place(self) -> None:
        found: dict[bytes, set[int]] = {content: set() for content in self.dropped}
        paths = []
        for path in self.layout.root.rglob("*"):
            if path.is_file() and (content := path.read_bytes()) in found:
                found[content].add(path.stat().st_ino)
                paths.append(path)
        assert all(len(inodes) == 1 for inodes in found.values()), found
        if self.jobs is not None:
            assert len(paths) == len(self.dropped)

    @invariant()
    def images_are_whole_and_come_once(self) -> None:
        images = [path for path in self.layout.images.iterdir() if path not in self.mine]
        records = Counter(record_in_picture(image) for image in images)
        assert None not in records
        assert set(records.values()) <= {1}

    @invariant()
    def files_of_the_user_stay(self) -> None:
        assert all(path.read_bytes() == content for path, content in self.mine.items())

    def teardown(self) -> None:
        """After all that, everything comes to its end."""
        if self.jobs is None:
            self.start(ENOUGH)
        while self.jobs or any(self.layout.inbox.iterdir()):
            if not self.jobs:
                self.claim(ENOUGH)
            elif is_settled(self.first()):
                self.end(ENOUGH, whole=False)
            else:
                self.publish(ENOUGH)
        assert list(self.layout.work.iterdir()) == []
        ended = [*self.layout.done.iterdir(), *self.layout.failed.iterdir()]
        assert {path.read_bytes() for path in ended} >= set(self.dropped)
        self.every_prompt_is_in_one_place()
        self.images_are_whole_and_come_once()
        shutil.rmtree(self.layout.root.parent)


class SpoolAtRandomByLink(SpoolAtRandom):
    """On a disk without a rename that does not overwrite."""

    by_link = True


TestSpoolAtRandom = SpoolAtRandom.TestCase
TestSpoolAtRandomByLink = SpoolAtRandomByLink.TestCase
_SETTINGS = settings(max_examples=40, stateful_step_count=40)
TestSpoolAtRandom.settings = _SETTINGS
TestSpoolAtRandomByLink.settings = _SETTINGS
