"""The inbox: what is claimed, when, and in which order."""

import errno
import os
import shutil
from pathlib import Path
from unittest import mock

import pytest

from mpsdoctor.hotfolder.inbox.inbox import Inbox
from mpsdoctor.hotfolder.spool.file_state import FileState
from mpsdoctor.hotfolder.spool.spool import Spool, UnmovableError
from tests.support.jobs import drop, names

SETTLE, SETTLE_EMPTY = 1.0, 30.0


@pytest.fixture
def unmovable() -> list[tuple[str, str | None]]:
    """The files that were reported, and why."""
    return []


@pytest.fixture
def inbox(spool: Spool, unmovable: list[tuple[str, str | None]]) -> Inbox:
    """The inbox of `spool`."""
    return Inbox(
        spool,
        settle=SETTLE,
        settle_empty=SETTLE_EMPTY,
        on_unmovable=lambda name, error: unmovable.append((name, error.strerror)),
    )


def claimed(inbox: Inbox, now: float) -> list[str]:
    """Everything that can be claimed now."""
    found = []
    while job := inbox.claim(now):
        found.append(job.name)
    return found


def test_a_file_is_claimed_right_when_it_has_settled(spool: Spool, inbox: Inbox) -> None:
    """Even at the start, a file is scanned twice; `due` says when it is ready."""
    drop(spool.layout, "cat.txt", "a cat")
    drop(spool.layout, "empty.txt", "")
    drop(spool.layout, ".hidden.txt", "not for us")
    assert inbox.due(5.0) is None
    assert inbox.claim(5.0) is None
    assert inbox.due(5.25) == 0.75
    assert inbox.claim(5.75) is None
    assert claimed(inbox, 5.25 + inbox.due(5.25)) == ["cat.txt"]  # type: ignore[operator]
    assert inbox.due(6.0) == 29.0
    assert claimed(inbox, 35.0) == ["empty.txt"]
    assert inbox.due(35.0) is None


def test_a_slow_writer_gets_the_time_it_needs(spool: Spool, inbox: Inbox) -> None:
    """Each change restarts the wait, even one between the scan and the claim."""
    path = drop(spool.layout, "cat.txt", "a")
    for now in (0.0, 0.9, 1.8):
        assert inbox.claim(now) is None
        path.write_text(path.read_text() + " cat")
    assert inbox.claim(1.9) is None
    drop(spool.layout, "other.txt", "a dog")
    os.utime(spool.layout.inbox / "other.txt", (1, 1))
    assert inbox.claim(2.0) is None
    job = inbox.claim(3.0)
    assert job
    assert job.name == "other.txt"
    path.write_text("a cat on a mat")
    assert inbox.claim(3.5) is None
    assert claimed(inbox, 5.0) == []
    assert claimed(inbox, 6.0) == ["cat.txt"]


def test_a_link_is_claimed_as_a_link(spool: Spool, inbox: Inbox, tmp_path: Path) -> None:
    """It is not followed, so the file behind it may change or be missing."""
    (spool.layout.inbox / "link.txt").symlink_to(tmp_path)
    (spool.layout.inbox / "dangling.txt").symlink_to("nowhere")
    assert claimed(inbox, 0.0) == []
    assert sorted(claimed(inbox, 1.0)) == ["dangling.txt", "link.txt"]
    assert tmp_path.is_dir()


def test_the_oldest_comes_first(spool: Spool, inbox: Inbox) -> None:
    """Files come in the order of their modification, those of a later look in their place."""
    for name, mtime in (("c.txt", 30), ("a.txt", 20), ("b.txt", 10)):
        os.utime(drop(spool.layout, name, name), (mtime, mtime))
    inbox.claim(0.0)
    assert (job := inbox.claim(1.0))
    assert inbox.due(1.0) == 0.0
    os.utime(drop(spool.layout, "d.txt", "d"), (5, 5))
    assert (again := inbox.claim(2.0))
    assert [job.name, again.name] == ["b.txt", "a.txt"]
    assert claimed(inbox, 3.0) == ["d.txt", "c.txt"]


def test_thousands_of_files_are_listed_once_in_a_while(spool: Spool, inbox: Inbox) -> None:
    """A claim is one file's work, however many there are."""
    for number in range(200):
        (spool.layout.inbox / f"{number}.txt").write_text("a cat")
    inbox.claim(0.0)
    with (
        mock.patch("mpsdoctor.hotfolder.inbox.inbox.os.scandir", wraps=os.scandir) as listed,
        mock.patch("mpsdoctor.files._flush"),
    ):
        found = [inbox.claim(1.0 + number / 1000) for number in range(200)]
    assert listed.call_count == 1
    assert len({job.name for job in found if job}) == 200


def test_a_file_that_cannot_be_moved_is_reported_once_and_tried_again(
    spool: Spool, inbox: Inbox, unmovable: list[tuple[str, str | None]]
) -> None:
    """It stays in the inbox, the others get their turn, and it is tried again after a minute."""
    drop(spool.layout, "held.txt", "a cat")
    inbox.claim(0.0)
    refused = UnmovableError(OSError(errno.EPERM, "Operation not permitted"))
    with mock.patch.object(spool, "claim", side_effect=refused):
        for now in range(1, 100):
            assert inbox.claim(float(now)) is None
    drop(spool.layout, "cat.txt", "a cat")
    assert claimed(inbox, 100.0) == []
    assert claimed(inbox, 101.0) == ["cat.txt"]
    assert unmovable == [("held.txt", "Operation not permitted")]
    assert inbox.due(101.0) == 20.0
    assert claimed(inbox, 120.0) == []
    assert claimed(inbox, 121.0) == ["held.txt"]
    drop(spool.layout, "held.txt", "a cat")
    assert claimed(inbox, 122.0) == []
    assert claimed(inbox, 123.0) == ["held.txt"]


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        ({"dataless": True}, "it is only in the cloud; choose Download Now in Finder"),
        (
            {"dataless": True, "busy": True},
            "it is only in the cloud; choose Download Now in Finder",
        ),
        (
            {"busy": True},
            "Finder has not finished copying it; if that does not change, drop it again",
        ),
    ],
)
def test_a_file_in_the_cloud_or_being_copied_waits_and_is_reported(
    spool: Spool,
    inbox: Inbox,
    unmovable: list[tuple[str, str | None]],
    why: dict[str, bool],
    reason: str,
) -> None:
    """It is not claimed while its content is incomplete."""
    path = drop(spool.layout, "cat.txt", "a cat")
    away = FileState(path.stat().st_ino, 5, path.stat().st_mtime_ns, **why)
    with mock.patch.object(FileState, "of", return_value=away):
        for now in (0.0, SETTLE_EMPTY - 1, SETTLE_EMPTY, 100.0, 200.0):
            assert inbox.claim(now) is None
            assert inbox.due(now) is None
            assert unmovable == ([("cat.txt", reason)] if now >= SETTLE_EMPTY else [])
    assert claimed(inbox, 201.0) == []
    assert claimed(inbox, 202.0) == ["cat.txt"]


def test_an_error_of_the_folder_is_not_blamed_on_a_file(
    spool: Spool, inbox: Inbox, unmovable: list[tuple[str, str | None]], tmp_path: Path
) -> None:
    """A missing folder or a full disk raises OSError; afterwards everything continues."""
    drop(spool.layout, "cat.txt", "a cat")
    inbox.claim(0.0)
    away = tmp_path / "away"
    spool.layout.root.rename(away)
    with pytest.raises(FileNotFoundError):
        inbox.claim(1.0)
    away.rename(spool.layout.root)
    full = OSError(errno.ENOSPC, "No space left on device")
    with mock.patch.object(spool, "claim", side_effect=full), pytest.raises(OSError, match="space"):
        claimed(inbox, 1.0)
    assert claimed(inbox, 2.0) == []
    assert claimed(inbox, 3.0) == ["cat.txt"]
    assert unmovable == []


def test_an_inbox_that_is_created_again_is_used(spool: Spool, inbox: Inbox) -> None:
    """Only the files in the present inbox count, not those in the renamed one."""
    drop(spool.layout, "old.txt", "a cat")
    inbox.claim(0.0)
    shutil.move(spool.layout.inbox, spool.layout.root / "renamed")
    drop(spool.layout, "new.txt", "a dog")
    assert claimed(inbox, 1.0) == []
    assert claimed(inbox, 2.0) == ["new.txt"]
    assert names(spool.layout.root / "renamed") == ["old.txt"]
