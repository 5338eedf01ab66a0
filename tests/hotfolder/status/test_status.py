"""The daemon's status for `mpsdoctor status`, in real files."""

import itertools
import json
import logging
import os
import re
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.hotfolder.pause import Pause
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.lock import locked
from mpsdoctor.hotfolder.status import events, progress
from mpsdoctor.hotfolder.status.events import Event
from mpsdoctor.hotfolder.status.progress import (
    Current,
    Progress,
    ProgressFile,
    Result,
    Worker,
    progress_after,
)
from mpsdoctor.hotfolder.status.status import Status, StatusReader, read_status
from tests.support.jobs import drop

HOT = Pause(kind="heat", title="This Mac is too hot", hint="Wait.")


def published(name: str = "a.txt", number: int = 1, seconds: float = 2.0) -> events.Published:
    image = Path("/images") / f"{name}-{number}.png"
    return events.Published(name, name, image, seconds, ("a note",), "VAE in float32", number)


def after(*happened: Event) -> Progress:
    """The progress after these events, at second 7."""
    present = Progress()
    for event in happened:
        present = progress_after(present, event, 7.0)
    return present


LOADED = events.Loaded("shapes", "cpu", pid=7)
BEGUN = events.Rendering("a.txt", "a.txt", number=1, pictures=2, attempt=1)
AHEAD = events.Rendering("a.txt", "a.txt", number=2, pictures=2, attempt=1)
STEPPED = events.Stepped("a.txt", "a.txt", 1, 30, 30, 0.0)


def test_the_next_picture_shows_once_its_first_step_is_done() -> None:
    """While one is decoded, another may begin; a published picture is no longer in hand."""
    first = after(LOADED, BEGUN, STEPPED).in_hand[0]
    assert (1, 2, 30, 30) == (first.number, first.pictures, first.step, first.steps)
    assert first == after(LOADED, BEGUN, STEPPED, AHEAD).in_hand[0]
    stepped_ahead = events.Stepped("a.txt", "a.txt", 2, 1, 30)
    assert [2] == [p.number for p in after(BEGUN, STEPPED, AHEAD, stepped_ahead).in_hand]
    assert [2] == [p.number for p in after(BEGUN, STEPPED, AHEAD, published(number=1)).in_hand]
    assert () == after(BEGUN, published(number=1)).in_hand
    assert () == after(events.Stepped("b.txt", "b.txt", 1, 1, 2)).in_hand


@pytest.mark.parametrize(
    "event",
    [
        events.Retrying("a.txt", "a.txt", 1, "lost"),
        events.Unloaded("idle"),
        events.Stopped(),
        events.Started(Path("/hot"), 1),
    ],
)
def test_a_worker_that_has_gone_has_nothing_in_hand(event: Event) -> None:
    """No picture is shown as being rendered, and no worker as loaded."""
    present = after(LOADED, BEGUN, AHEAD, published("b.txt"), event)
    assert ((), None) == (present.in_hand, present.worker)
    assert ["b.txt"] == [result.name for result in present.results]


def test_the_state_follows_the_events() -> None:
    """Loading, loaded, paused with a warm worker, resumed, stopping."""
    assert "shapes" == after(events.Loading("shapes")).loading
    loaded = after(events.Loading("shapes"), LOADED)
    assert (None, Worker(model="shapes", device="cpu", pid=7)) == (loaded.loading, loaded.worker)
    paused = after(LOADED, BEGUN, events.Paused(HOT))
    assert (HOT, (), loaded.worker) == (paused.paused, paused.in_hand, paused.worker)
    assert after(events.Paused(HOT), events.Resumed()).paused is None
    assert after(events.Stopping()).stopping


def test_a_model_that_is_not_there_is_no_longer_loaded() -> None:
    """When its prompt fails, nothing is being loaded."""
    missing = events.Rejected("a.txt", "a.txt", "Not on disk", Path("/failed/a.error.txt"))
    assert after(events.Loading("refused"), missing).loading is None


def test_the_last_ten_results_are_kept() -> None:
    """Pictures keep their notes and remedies, and files their errors."""
    error = events.Rejected("bad.txt", "bad.txt", "No prompt", Path("/failed/bad.error.txt"))
    results = after(*(published(number=n) for n in range(12)), error).results
    assert 10 == len(results)
    assert ("No prompt", "/failed/bad.error.txt") == (results[-1].error, results[-1].error_file)
    picture = results[-2]
    assert ("/images/a.txt-11.png", 2.0, 7.0) == (picture.image, picture.seconds, picture.at)
    assert (("a note",), "VAE in float32") == (picture.notes, picture.remedy)


def test_the_file_is_written_at_once_but_not_with_every_step(tmp_path: Path) -> None:
    """Steps wait for 0.3 s, heartbeats for 2 s; each write has its time."""
    path = tmp_path / "status.json"
    clock = [0.0]
    file = ProgressFile(path, clock=lambda: clock[0], now=lambda: 1000 + clock[0])
    file.update(LOADED)
    file.update(BEGUN)
    file.update(events.Stepped("a.txt", "a.txt", 1, 1, 30))
    assert 0 == progress.read_progress(path).in_hand[0].step
    clock[0] = 0.4
    file.update(events.Stepped("a.txt", "a.txt", 1, 2, 30))
    assert 2 == progress.read_progress(path).in_hand[0].step
    file.heartbeat(pid=7, memory_bytes=4)
    assert 1000.4 == progress.read_progress(path).heartbeat
    file.update(AHEAD)
    assert (worker := progress.read_progress(path).worker)
    assert 4 == worker.memory_bytes
    clock[0] = 2.5
    file.heartbeat(pid=7, memory_bytes=5)
    written = progress.read_progress(path)
    assert 1002.5 == written.heartbeat
    assert Worker(model="shapes", device="cpu", pid=7, memory_bytes=5) == written.worker
    clock[0] = 5.0
    file.heartbeat(pid=None)
    assert progress.read_progress(path).worker is None
    assert [path] == list(tmp_path.iterdir())


def test_a_fresh_beat_costs_no_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred heartbeats in ten seconds are five writes."""
    written: list[bytes] = []
    monkeypatch.setattr(progress, "replace_file", lambda path, data: written.append(data))
    clock = [0.0]
    file = ProgressFile(tmp_path / "status.json", clock=lambda: clock[0])
    for tenth in range(100):
        clock[0] = tenth / 10
        file.heartbeat()
    assert 5 == len(written)


def test_a_disk_that_refuses_is_noted_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing raises, and the file is written when the disk is back."""
    folder = tmp_path / "gone"
    file = ProgressFile(folder / "status.json")
    with caplog.at_level(logging.WARNING):
        file.update(BEGUN)
        file.update(AHEAD)
        assert 1 == len(caplog.records)
        folder.mkdir()
        file.update(published())
        assert ["a.txt"] == [r.name for r in progress.read_progress(folder / "status.json").results]
        assert 1 == len(caplog.records)


def test_results_outlive_the_daemon(tmp_path: Path) -> None:
    """A new daemon shows the last one's results."""
    ProgressFile(tmp_path / "status.json").update(published())
    later = ProgressFile(tmp_path / "status.json")
    later.update(events.Started(tmp_path, 0))
    later.update(LOADED)
    assert ["a.txt"] == [r.name for r in progress.read_progress(tmp_path / "status.json").results]


@given(st.binary())
def test_a_damaged_file_gives_an_empty_progress(content: bytes) -> None:
    """Any content gives a status that can be shown."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "status.json"
        path.write_bytes(content)
        assert Progress() == progress.read_progress(path)


def test_names_that_are_not_utf8_can_be_told(tmp_path: Path) -> None:
    """Linux allows them in the folder's own path."""
    odd = Path(os.fsdecode(b"/images/\xff.png"))
    ProgressFile(tmp_path / "status.json").update(events.Published("1", "a.txt", odd, 1.0))
    assert "/images/\ufffd.png" == progress.read_progress(tmp_path / "status.json").results[0].image


def test_the_folders_are_counted_again_when_they_change(layout: Layout) -> None:
    """This holds right after a count too, and if a folder is deleted."""
    reader = StatusReader(layout.root)
    assert 0 == reader.read().inbox
    for number in range(1, 4):
        (layout.inbox / f"{number}.txt").touch()
        assert number == reader.read().inbox
    (layout.inbox / ".hidden.txt").touch()
    os.utime(layout.inbox, (1, 1))
    assert 3 == reader.read().inbox
    (layout.failed / "bad.txt").touch()
    (layout.failed / "bad.error.txt").touch()
    (layout.images / "1.PNG").touch()
    (layout.images / "notes.md").touch()
    (layout.work / "job").mkdir()
    status = reader.read()
    assert (3, 1, 1, 1) == (status.inbox, status.failed, status.images, status.work)
    for path in layout.inbox.iterdir():
        path.unlink()
    layout.inbox.rmdir()
    assert 0 == reader.read().inbox


def test_a_folder_that_has_not_changed_is_not_listed_again(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A live view beside ten thousand files reads only the times of five folders."""
    for folder in layout.folders:
        os.utime(folder, (1, 1))
    reader = StatusReader(layout.root)
    first = reader.read()

    def no_scan(folder: Path) -> None:
        raise AssertionError(folder)

    monkeypatch.setattr(os, "scandir", no_scan)
    assert first == reader.read()


def test_the_time_left_is_for_all_that_waits(layout: Layout) -> None:
    """The rest of this picture, the others of its file, and one picture for each other file.

    Nobody knows how long a pause will last.
    """
    for name in ("b.txt", "c.txt"):
        drop(layout, name, "a cat")
    (layout.work / "job of a.txt").mkdir()
    file = ProgressFile(layout.status_file, clock=itertools.count().__next__)
    begun = events.Rendering("a.txt", "a.txt", number=2, pictures=3, attempt=1)
    stepped = events.Stepped("a.txt", "a.txt", 2, 15, 30, 5.0)
    with locked(layout):
        for event in (LOADED, published(seconds=10.0), published(seconds=10.0), begun, stepped):
            file.update(event)
        assert read_status(layout.root).remaining_s == 5.0 + 3 * 10.0
        file.update(events.Paused(HOT))
        assert read_status(layout.root).remaining_s is None


def test_without_a_daemon_only_what_lasts_is_told(layout: Layout) -> None:
    """After a kill -9 the file still names a picture, but it is not being rendered."""
    file = ProgressFile(layout.status_file)
    for event in (LOADED, BEGUN, published("b.txt"), events.Paused(HOT)):
        file.update(event)
    status = read_status(layout.root)
    assert (False, None, None, None, None, None) == (
        status.running, status.pid, status.current, status.worker, status.paused,
        status.remaining_s,
    )  # fmt: skip
    assert ["b.txt"] == [result.name for result in status.results]
    assert status.heartbeat


def test_the_page_describes_the_json() -> None:
    """docs/watch.md shows a complete status, and names every field of every object in it."""
    page = (Path(__file__).parents[3] / "docs/watch.md").read_text("utf-8")
    for record in (Status, Current, Result, Worker, Pause):
        for field in record.__struct_fields__:
            assert f"`{field}`" in page, f"{record.__name__}.{field}"
    [shown] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    status = msgspec.json.decode(shown, type=Status)
    assert json.loads(shown) == json.loads(msgspec.json.encode(status))
