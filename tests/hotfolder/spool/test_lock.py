"""One daemon per hot folder, even if the folder disappears and comes back."""

import os
import shutil
from pathlib import Path

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.lock import Hold, holder, is_locked, locked


def test_only_one_holds_it(layout: Layout) -> None:
    """The second is refused with the first one's process id, until the first releases it."""
    with locked(layout) as hold:
        assert hold.restore() is None
        assert is_locked(layout.lock_file)
        with pytest.raises(MpsDoctorError, match=str(os.getpid())):
            Hold(layout)
    assert not is_locked(layout.lock_file)
    with locked(layout):
        assert holder(layout.lock_file) == os.getpid()


def test_folders_that_the_user_deletes_come_back(layout: Layout) -> None:
    """Even the folder with the lock is created again, if the root is still the same folder."""
    with locked(layout) as hold:
        for folder in layout.folders:
            shutil.rmtree(folder)
        assert hold.restore() is None
        assert all(folder.is_dir() for folder in layout.folders)
        assert is_locked(layout.lock_file)


def test_nothing_is_made_where_a_disk_was(layout: Layout, tmp_path: Path) -> None:
    """The queue pauses for an ejected disk or its empty mount point, then continues."""
    away = tmp_path / "away"
    with locked(layout) as hold:
        layout.root.rename(away)
        pause = hold.restore()
        assert pause
        assert (pause.kind, "is gone" in pause.title) == ("folder", True)
        layout.root.mkdir()
        assert hold.restore() == pause
        assert list(layout.root.iterdir()) == []
        layout.root.rmdir()
        away.rename(layout.root)
        assert hold.restore() is None
        with pytest.raises(MpsDoctorError, match="already watches"):
            Hold(layout)


def test_a_copy_of_the_folder_is_gone_on_with_under_its_own_lock(
    layout: Layout, tmp_path: Path
) -> None:
    """To the system, a reconnected disk has another lock file."""
    with locked(layout) as hold:
        layout.root.rename(tmp_path / "away")
        shutil.copytree(tmp_path / "away", layout.root)
        assert hold.restore() is None
        assert is_locked(layout.lock_file)
        assert not is_locked(tmp_path / "away" / ".work" / layout.lock_file.name)


def test_two_never_share_a_folder(layout: Layout, tmp_path: Path) -> None:
    """A daemon ends if another one has taken the folder in the meantime."""
    with locked(layout) as hold:
        layout.root.rename(tmp_path / "away")
        layout.create()
        with locked(layout), pytest.raises(MpsDoctorError, match="already watches"):
            hold.restore()


def test_a_file_where_a_folder_was_is_waited_for(layout: Layout) -> None:
    """The queue pauses, and the user's file is not touched."""
    with locked(layout) as hold:
        layout.inbox.rmdir()
        layout.inbox.touch()
        pause = hold.restore()
        assert pause
        assert "no longer a folder" in pause.title
        assert layout.inbox.is_file()
