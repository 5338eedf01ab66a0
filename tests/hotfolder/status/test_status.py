"""The daemon's status for `mpsdoctor status`, in real files."""

import itertools
import json
import os
import re
import time
from pathlib import Path
from typing import Final, get_args

import msgspec
import pytest

from mpsdoctor.hotfolder.pause import Kind, Pause
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.lock import locked
from mpsdoctor.hotfolder.status import events
from mpsdoctor.hotfolder.status.progress import (
    Current,
    Progress,
    ProgressFile,
    Result,
    Worker,
    read_progress,
)
from mpsdoctor.hotfolder.status.status import Status, StatusReader, read_status
from tests.support.jobs import drop

HOT: Final = Pause(kind="heat", title="This Mac is too hot", hint="Wait.")
LOADED: Final = events.Loaded("shapes", "cpu", pid=7)
BEGUN: Final = events.Rendering("a.txt", "a.txt", number=2, pictures=3, attempt=1)
STEPPED: Final = events.Stepped("a.txt", "a.txt", 2, 15, 30, 5.0)
PUBLISHED: Final = events.Published("0.txt", "0.txt", Path("/images/0.png"), 10.0)


def written(layout: Layout, *happened: events.Event) -> Progress:
    """The status file after these events."""
    file = ProgressFile(layout.status_file, clock=itertools.count().__next__, now=lambda: 7.0)
    for event in happened:
        file.update(event)
    return read_progress(layout.status_file)


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
    for folder, counted, ignored in (
        (layout.failed, ("bad.txt", "b.jpg"), ("bad.error.txt", ".hidden", "B.Error.TXT")),
        (layout.done, ("1.txt", "2.TXT"), (".hidden",)),
        (layout.images, ("1.PNG", "2.png"), ("notes.md", "png", "3.png.part")),
    ):
        for name in (*counted, *ignored):
            (folder / name).touch()
    for number in (1, 2):
        (layout.work / f"job {number}").mkdir()
    for name in ("daemon.lock", "status.json", "worker.json"):
        (layout.work / name).touch()
    (layout.work / "link").symlink_to(layout.inbox)
    status = reader.read()
    assert (3, 2, 2, 2, 2) == (
        *(status.inbox, status.failed, status.images, status.work, status.done),
    )
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


@pytest.mark.parametrize(
    ("seconds_ago", "counted"), [(0.0, 2), (2.2, 2), (2.8, 1), (-2.2, 2), (-2.8, 1)]
)
def test_a_folder_is_counted_again_until_its_time_has_settled(
    layout: Layout, seconds_ago: float, counted: int
) -> None:
    """FAT keeps even seconds, so a second change may not show on the folder."""
    changed = time.time_ns() - int(seconds_ago * 1e9)
    reader = StatusReader(layout.root)
    for number in (1, 2):
        (layout.inbox / f"{number}.txt").touch()
        os.utime(layout.inbox, ns=(changed, changed))
        status = reader.read()
    assert status.inbox == counted


def test_everything_is_shown_while_a_daemon_runs(layout: Layout) -> None:
    """The folders are counted, and the rest is from the status file and the lock."""
    for name in ("b.txt", "c.txt"):
        drop(layout, name, "a cat")
    (layout.work / "job of a.txt").mkdir()
    (layout.done / "0.txt").touch()
    (layout.done / ".hidden").touch()
    progress = written(layout, LOADED, PUBLISHED, BEGUN, STEPPED, events.Stopping())
    with locked(layout):
        status = read_status(layout.root)
        assert status == Status(
            root=str(layout.root),
            running=True,
            pid=os.getpid(),
            heartbeat=7.0,
            stopping=True,
            paused=None,
            inbox=2,
            work=1,
            done=1,
            failed=0,
            images=0,
            current=Current(
                job="a.txt",
                name="a.txt",
                number=2,
                pictures=3,
                step=15,
                steps=30,
                remaining_s=5.0,
            ),
            remaining_s=5.0 + 3 * 10.0,
            loading=None,
            worker=Worker(model="shapes", device="cpu", pid=7),
            results=progress.results,
        )
        assert status.results == (
            Result(name="0.txt", at=7.0, image="/images/0.png", seconds=10.0),
        )


def test_the_remaining_time_is_for_all_that_waits(layout: Layout) -> None:
    """A picture that has just begun takes as long as the last ones; a pause has no known end."""
    with locked(layout):
        written(layout, PUBLISHED)
        assert read_status(layout.root).remaining_s == 0.0
        drop(layout, "b.txt", "a cat")
        assert read_status(layout.root).remaining_s == 10.0
        (layout.work / "job of a.txt").mkdir()
        written(layout, BEGUN)
        assert read_status(layout.root).remaining_s == 10.0 + 2 * 10.0
        written(layout, BEGUN, events.Loading("other"), events.Paused(HOT))
        status = read_status(layout.root)
        assert (status.remaining_s, status.paused) == (None, HOT)
        written(layout, events.Loading("other"))
        assert read_status(layout.root).loading == "other"


def test_a_picture_whose_job_is_not_counted_yet_is_the_only_one(layout: Layout) -> None:
    """A claim may move between the two looks; nothing less than nothing waits."""
    with locked(layout):
        written(layout, PUBLISHED, BEGUN, STEPPED)
        assert read_status(layout.root).remaining_s == 5.0 + 10.0


def test_without_a_daemon_only_what_lasts_is_shown(layout: Layout) -> None:
    """After a kill -9 the file still names a picture, but it is not being rendered."""
    progress = written(
        layout, LOADED, BEGUN, PUBLISHED, events.Loading("x"), events.Paused(HOT), events.Stopping()
    )
    layout.lock_file.write_text("4242\n")
    assert read_status(layout.root) == Status(
        root=str(layout.root),
        running=False,
        pid=None,
        heartbeat=7.0,
        stopping=False,
        paused=None,
        inbox=0,
        work=0,
        done=0,
        failed=0,
        images=0,
        current=None,
        remaining_s=None,
        loading=None,
        worker=None,
        results=progress.results,
    )


def test_a_root_that_is_not_utf8_is_shown_with_replacements(tmp_path: Path) -> None:
    """Linux allows such a name; without folders everything counts as empty."""
    status = read_status(tmp_path / os.fsdecode(b"\xff"))
    assert status.root == f"{tmp_path}/\ufffd"
    assert (status.inbox, status.work, status.done, status.failed, status.images) == (0,) * 5
    assert (status.running, status.results, status.schema_version) == (False, (), 1)


def test_the_page_describes_the_json() -> None:
    """docs/watch.md shows a complete status, and names every field of every object in it."""
    page = (Path(__file__).parents[3] / "docs/watch.md").read_text("utf-8")
    for record in (Status, Current, Result, Worker, Pause):
        for field in record.__struct_fields__:
            assert f"`{field}`" in page, f"{record.__name__}.{field}"
    [shown] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    status = msgspec.json.decode(shown, type=Status)
    assert json.loads(shown) == json.loads(msgspec.json.encode(status))
    kinds = ", ".join(f"`{kind}`" for kind in get_args(Kind))
    assert f"`kind` ({kinds})" in page
