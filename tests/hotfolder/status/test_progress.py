"""The daemon's progress, after each event and in its file."""

import logging
import os
import tempfile
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mpsdoctor.hotfolder.pause import Kind, Pause
from mpsdoctor.hotfolder.status import events, progress
from mpsdoctor.hotfolder.status.events import Event
from mpsdoctor.hotfolder.status.progress import (
    Current,
    Progress,
    ProgressFile,
    Result,
    Worker,
    progress_after,
    read_progress,
)

HOT: Final = Pause(kind="heat", title="This Mac is too hot", hint="Wait.")
FULL: Final = Pause(kind="disk", title="The disk is full")
LOADED: Final = events.Loaded("shapes", "cpu", pid=7)
BEGUN: Final = events.Rendering("a.txt", "a.txt", number=1, pictures=2, attempt=1)
FIRST: Final = Current(job="a", name="a.txt", pictures=2, step=30, steps=30, remaining_s=0.0)
SECOND: Final = Current(job="a", name="a.txt", number=2, pictures=2)
OTHER: Final = Current(job="b", name="b.txt")
BEFORE: Final = Progress(
    heartbeat=1.0,
    loading="a model",
    in_hand=(FIRST, SECOND),
    results=(Result(name="0.txt", at=1.0),),
    worker=Worker(model="a model", device="mps", pid=6, memory_bytes=5),
    paused=HOT,
)
IMAGE: Final = Path("/images/a.png")
PUBLISHED: Final = events.Published("a", "a.txt", IMAGE, 2.0, ("a note",), "VAE in float32", 1)
IN_IMAGES: Final = Result(
    name="a.txt",
    at=7.0,
    image="/images/a.png",
    seconds=2.0,
    notes=("a note",),
    remedy="VAE in float32",
)
REJECTED: Final = events.Rejected("a", "a.txt", "No prompt", Path("/failed/a.error.txt"))
IN_FAILED: Final = Result(name="a.txt", at=7.0, error="No prompt", error_file="/failed/a.error.txt")


@pytest.mark.parametrize(
    ("event", "changed"),
    [
        (events.Loading("another"), {"loading": "another"}),
        (
            events.Loaded("another", "cpu", 9),
            {"loading": None, "worker": Worker(model="another", device="cpu", pid=9)},
        ),
        (events.Claimed("c", "c.txt"), {}),
        (
            events.Rendering("c", "c.txt", 2, 3, 4),
            {"in_hand": (SECOND, Current(job="c", name="c.txt", number=2, pictures=3, attempt=4))},
        ),
        (
            events.Stepped("a", "a.txt", 1, 3, 30, 9.0),
            {"in_hand": (replace(FIRST, step=3, remaining_s=9.0), SECOND)},
        ),
        (
            events.Stepped("a", "a.txt", 2, 1, 20),
            {"in_hand": (replace(SECOND, step=1, steps=20),)},
        ),
        (events.Stepped("a", "a.txt", 3, 1, 20), {}),
        (events.Stepped("b", "b.txt", 1, 1, 20), {}),
        (PUBLISHED, {"in_hand": (SECOND,), "results": (*BEFORE.results, IN_IMAGES)}),
        (
            REJECTED,
            {"in_hand": (), "loading": None, "results": (*BEFORE.results, IN_FAILED)},
        ),
        (events.Retrying("a", "a.txt", 1, "lost"), {"in_hand": (), "worker": None}),
        (events.Unloaded("idle"), {"in_hand": (), "worker": None}),
        (events.Unmovable("c.txt", "no"), {}),
        (events.Paused(FULL), {"in_hand": (), "loading": None, "paused": FULL}),
        (events.Resumed(), {"paused": None}),
        (events.Stopping(), {"stopping": True}),
    ],
)
def test_an_event_changes_only_what_it_is_about(event: Event, changed: dict[str, Any]) -> None:
    """Everything else stays as it was."""
    assert progress_after(BEFORE, event, 7.0) == replace(BEFORE, **changed)


@pytest.mark.parametrize("event", [events.Started(Path("/hot"), 1), events.Stopped()])
def test_a_start_or_an_end_leaves_only_the_results(event: Event) -> None:
    """There is no worker, no picture in hand and no pause."""
    assert progress_after(BEFORE, event, 7.0) == Progress(results=BEFORE.results)


def test_a_file_that_fails_leaves_those_of_others_in_hand() -> None:
    """It may fail while a picture of another file is rendered."""
    before = replace(BEFORE, in_hand=(FIRST, OTHER))
    assert progress_after(before, REJECTED, 7.0).in_hand == (OTHER,)


def test_the_last_ten_results_are_kept() -> None:
    """The newest is the last."""
    present = Progress()
    for number in range(12):
        present = progress_after(present, PUBLISHED, float(number))
    assert [result.at for result in present.results] == list(map(float, range(2, 12)))


class File:
    """A status file, and the clocks that it is written by."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "status.json"
        self.clock = 0.0
        self.file = ProgressFile(self.path, clock=lambda: self.clock, now=lambda: 1000 + self.clock)

    def read(self) -> Progress:
        return read_progress(self.path)


def test_the_file_is_written_at_once_but_not_with_every_step(tmp_path: Path) -> None:
    """Steps wait for 0.3 s, heartbeats for 2 s; each write has its time."""
    at = File(tmp_path)
    at.file.update(LOADED)
    at.file.update(BEGUN)
    at.file.update(events.Stepped("a.txt", "a.txt", 1, 1, 30))
    begun = Current(job="a.txt", name="a.txt", pictures=2)
    worker = Worker(model="shapes", device="cpu", pid=7)
    assert at.read() == Progress(heartbeat=1000.0, in_hand=(begun,), worker=worker)
    at.clock = 0.25
    at.file.update(events.Stepped("a.txt", "a.txt", 1, 2, 30))
    assert at.read().in_hand == (begun,)
    at.clock = 0.3
    at.file.update(events.Stepped("a.txt", "a.txt", 1, 3, 30))
    assert at.read().in_hand == (replace(begun, step=3, steps=30),)
    at.clock = 2.25
    at.file.heartbeat(pid=7, memory_bytes=4)
    assert at.read().worker == worker
    at.file.update(events.Claimed("b.txt", "b.txt"))
    assert at.read().heartbeat == 1000.3
    at.file.update(events.Loading("other"))
    assert at.read() == Progress(
        heartbeat=1002.25,
        loading="other",
        in_hand=(replace(begun, step=3, steps=30),),
        worker=replace(worker, memory_bytes=4),
    )
    at.clock = 4.25
    at.file.heartbeat(pid=8, memory_bytes=5)
    assert at.read().heartbeat == 1004.25
    assert at.read().worker == Worker(model="shapes", device="cpu", pid=8, memory_bytes=5)
    at.clock = 6.25
    at.file.heartbeat(pid=None, memory_bytes=5)
    assert at.read().worker is None
    at.clock = 8.25
    at.file.heartbeat(pid=9)
    assert at.read().worker is None
    assert [at.path] == list(tmp_path.iterdir())


def test_a_fresh_heartbeat_costs_no_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred heartbeats in ten seconds are five writes."""
    written: list[bytes] = []
    monkeypatch.setattr(progress, "replace_file", lambda path, data: written.append(data))
    at = File(tmp_path)
    for tenth in range(100):
        at.clock = tenth / 10
        at.file.heartbeat()
    assert 5 == len(written)


def test_a_disk_that_refuses_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing raises, and the file is written when the disk is back."""
    folder = tmp_path / "gone"
    at = File(folder)
    with caplog.at_level(logging.WARNING):
        for round_ in (1, 2):
            at.file.update(LOADED)
            at.file.update(events.Unloaded("idle"))
            assert len(caplog.messages) == round_
            folder.mkdir()
            at.file.update(PUBLISHED)
            assert at.read().results[-1] == replace(IN_IMAGES, at=1000.0)
            at.path.unlink()
            folder.rmdir()
    assert caplog.messages[0].startswith("the status file cannot be written: ")


def test_results_outlive_the_daemon(tmp_path: Path) -> None:
    """A new daemon shows the last one's results, and nothing else of it."""
    first = File(tmp_path)
    for event in (LOADED, PUBLISHED, events.Paused(HOT)):
        first.file.update(event)
    later = File(tmp_path)
    later.file.update(events.Loading("shapes"))
    results = (replace(IN_IMAGES, at=1000.0),)
    assert later.read() == Progress(heartbeat=1000.0, loading="shapes", results=results)


@given(st.binary())
def test_a_damaged_file_gives_an_empty_progress(content: bytes) -> None:
    """Any content gives a status that can be shown."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "status.json"
        assert Progress() == read_progress(path)
        path.write_bytes(content)
        assert Progress() == read_progress(path)


def test_names_that_are_not_utf8_are_written_with_replacements(tmp_path: Path) -> None:
    """Linux allows them in the folder's own path."""
    at = File(tmp_path)
    at.file.update(events.Published("1", "a.txt", Path(os.fsdecode(b"/images/\xff.png")), 1.0))
    at.file.update(events.Rejected("1", "a.txt", "no", Path(os.fsdecode(b"/failed/\xff.txt"))))
    image, error = at.read().results
    assert (image.image, error.error_file) == ("/images/\ufffd.png", "/failed/\ufffd.txt")


def test_every_kind_of_pause_is_read_back() -> None:
    """Another process decodes it."""
    kinds = {"disk", "folder", "privacy", "model", "gpu", "memory", "battery", "low-power", "heat"}
    assert set(get_args(Kind)) == kinds
    for kind in get_args(Kind):
        paused = Progress(paused=Pause(kind=kind, title="Why", hint="What to do"))
        assert msgspec.json.decode(msgspec.json.encode(paused), type=Progress) == paused
