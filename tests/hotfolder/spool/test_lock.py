"""One daemon per hot folder, even if the folder disappears and comes back."""

import fcntl
import os
import shutil
import threading
import time
from pathlib import Path

import psutil
import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.pause import Pause
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.lock import Hold, holder, is_locked, locked


def gone(layout: Layout) -> Pause:
    """The pause while the hot folder is not there."""
    return Pause(
        kind="folder",
        title=f"The hot folder {layout.root} is gone",
        hint="If its disk was ejected, reconnect it. If it was renamed, give it its old name. "
        "The queue then continues by itself. To use a new folder, start mpsdoctor watch again.",
    )


def refused(layout: Layout) -> str:
    """Why a second daemon cannot start."""
    with pytest.raises(MpsDoctorError) as refusal:
        Hold(layout)
    return str(refusal.value)


def open_locks() -> list[str]:
    """The lock files that this process has open."""
    return [file.path for file in psutil.Process().open_files() if "daemon.lock" in file.path]


def test_only_one_holds_it(layout: Layout) -> None:
    """The second is refused with the first one's process id, until the first releases it."""
    layout.lock_file.write_text("123456789012\n")
    with locked(layout) as hold:
        assert layout.lock_file.read_text() == f"{os.getpid()}\n"
        assert hold.restore() is None
        assert is_locked(layout.lock_file)
        assert refused(layout) == (
            f"Another mpsdoctor watch (process {os.getpid()}) already watches {layout.root}\n"
            "Two of them would take each other's prompts.\n"
            "Use the running one, or end it first: press control-C in its terminal."
        )
        layout.lock_file.write_text("")
        assert refused(layout).startswith(
            f"Another mpsdoctor watch already watches {layout.root}\n"
        )
    assert not is_locked(layout.lock_file)
    assert open_locks() == []
    with locked(layout):
        assert holder(layout.lock_file) == os.getpid()


def test_without_a_readable_file_there_is_no_holder(tmp_path: Path) -> None:
    """The lock file may be missing, empty or damaged; a folder in its place is not a lock."""
    path = tmp_path / "daemon.lock"
    assert (holder(path), is_locked(path)) == (None, False)
    for content in (b"", b"x", b"\xff"):
        path.write_bytes(content)
        assert (holder(path), is_locked(path)) == (None, False)
    assert holder(tmp_path) is None


def test_a_look_at_the_lock_does_not_keep_a_daemon_from_starting(layout: Layout) -> None:
    """`read_status` takes it for a moment, and the daemon waits for a quarter of a second."""
    with layout.lock_file.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        release = threading.Timer(0.08, fcntl.flock, (file, fcntl.LOCK_UN))
        release.start()
        began = time.monotonic()
        with locked(layout):
            assert time.monotonic() - began >= 0.05
        release.join()


def test_a_lock_file_that_is_replaced_meanwhile_is_not_the_lock(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon locks the file that has the name in the end, and keeps no other open."""
    flock = fcntl.flock
    replaced: list[Path] = []

    def replacing(descriptor: int, operation: int) -> None:
        flock(descriptor, operation)
        if not replaced:
            replaced.append(layout.lock_file.rename(layout.root / "daemon.lock.old"))

    monkeypatch.setattr(fcntl, "flock", replacing)
    with locked(layout):
        assert is_locked(layout.lock_file)
        assert open_locks() == [str(layout.lock_file)]
        assert layout.lock_file.read_text() == f"{os.getpid()}\n"


def test_an_error_of_the_disk_leaves_nothing_open(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any error other than a lock that is held is raised."""

    def broken(descriptor: int, length: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "ftruncate", broken)
    with pytest.raises(OSError, match="Input/output"):
        Hold(layout)
    assert open_locks() == []
    assert not is_locked(layout.lock_file)


def test_folders_that_the_user_deletes_come_back(layout: Layout) -> None:
    """Even the folder with the lock is created again, if the root is still the same folder."""
    with locked(layout) as hold:
        for _ in range(2):
            for folder in layout.folders:
                shutil.rmtree(folder)
            assert hold.restore() is None
            assert all(folder.is_dir() for folder in layout.folders)
            assert is_locked(layout.lock_file)
            assert len(open_locks()) == 1
    assert not is_locked(layout.lock_file)


def test_nothing_is_made_where_a_disk_was(layout: Layout, tmp_path: Path) -> None:
    """The queue pauses for an ejected disk or its empty mount point, then continues."""
    away = tmp_path / "away"
    with locked(layout) as hold:
        layout.root.rename(away)
        assert hold.restore() == gone(layout)
        layout.root.mkdir()
        assert hold.restore() == gone(layout)
        assert list(layout.root.iterdir()) == []
        layout.root.rmdir()
        layout.root.touch()
        assert hold.restore() == gone(layout)
        layout.root.unlink()
        away.rename(layout.root)
        assert hold.restore() is None
        assert "already watches" in refused(layout)


def test_a_copy_of_the_folder_is_taken_over_with_its_own_lock(
    layout: Layout, tmp_path: Path
) -> None:
    """To the system, a reconnected disk has another lock file; after that, it is the folder."""
    with locked(layout) as hold:
        layout.root.rename(tmp_path / "away")
        shutil.copytree(tmp_path / "away", layout.root)
        shutil.rmtree(layout.images)
        layout.lock_file.write_text("1\n")
        assert hold.restore() is None
        assert layout.images.is_dir()
        assert is_locked(layout.lock_file)
        assert layout.lock_file.read_text() == f"{os.getpid()}\n"
        assert not is_locked(tmp_path / "away" / ".work" / layout.lock_file.name)
        assert open_locks() == [str(layout.lock_file)]
        shutil.rmtree(layout.work)
        assert hold.restore() is None
        assert is_locked(layout.lock_file)
    assert not is_locked(layout.lock_file)
    assert open_locks() == []


def test_two_never_share_a_folder(layout: Layout, tmp_path: Path) -> None:
    """A daemon ends if another one has taken the folder in the meantime."""
    with locked(layout) as hold:
        layout.root.rename(tmp_path / "away")
        layout.create()
        with locked(layout):
            with pytest.raises(MpsDoctorError, match="already watches"):
                hold.restore()
            assert is_locked(tmp_path / "away" / ".work" / layout.lock_file.name)
        assert hold.restore() is None


def test_a_file_where_a_folder_was_is_waited_for(layout: Layout) -> None:
    """The queue pauses, and the user's file is not touched; a missing root is said first."""
    with locked(layout) as hold:
        layout.inbox.rmdir()
        layout.inbox.touch()
        assert hold.restore() == Pause(
            kind="folder",
            title=f"{layout.inbox} is no longer a folder",
            hint="Move it away. The queue then continues by itself.",
        )
        assert layout.inbox.is_file()
        layout.inbox.unlink()
        assert hold.restore() is None
        assert layout.inbox.is_dir()


def test_a_disk_that_does_not_answer_keeps_the_lock(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an answer nobody knows whether the lock is lost, so it is not taken again."""
    with locked(layout) as hold:
        lstat = Path.lstat

        def broken(path: Path) -> os.stat_result:
            if path == layout.lock_file:
                raise OSError(5, "Input/output error")
            return lstat(path)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "lstat", broken)
            with pytest.raises(OSError, match="Input/output"):
                hold.restore()
        assert hold.restore() is None
        assert is_locked(layout.lock_file)


def test_a_lock_whose_disk_was_disconnected_is_taken_again(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The open file then has no state any more, and closing it may fail."""
    with locked(layout) as hold:
        fstat, close = os.fstat, os.close
        failures: list[str] = []

        def no_fstat(descriptor: int) -> os.stat_result:
            if not failures:
                failures.append("fstat")
                raise OSError(6, "Device not configured")
            return fstat(descriptor)

        def no_close(descriptor: int) -> None:
            close(descriptor)
            if failures == ["fstat"]:
                failures.append("close")
                raise OSError(6, "Device not configured")

        fcntl.flock(hold._descriptor, fcntl.LOCK_UN)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fstat", no_fstat)
            patch.setattr(os, "close", no_close)
            assert hold.restore() is None
        assert failures == ["fstat", "close"]
        assert is_locked(layout.lock_file)
        assert len(open_locks()) == 1
