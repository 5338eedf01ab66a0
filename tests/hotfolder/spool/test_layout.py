"""The folders of a hot folder."""

import sys
from pathlib import Path

import pytest

from mpsdoctor import files
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.spool import layout as layout_module
from mpsdoctor.hotfolder.spool.layout import Layout
from tests.support.jobs import names

ELSEWHERE = (
    "Choose a folder on the Mac's own disk, such as ~/mpsdoctor. Background programs may not use "
    "Desktop, Documents, Downloads, iCloud Drive, or external and network volumes."
)


def test_missing_folders_are_created(tmp_path: Path) -> None:
    """So are those above; what is there already stays."""
    layout = Layout(tmp_path / "a" / "b")
    layout.create()
    (layout.inbox / "cat.txt").touch()
    layout.create()
    assert names(layout.root) == [".work", "done", "failed", "images", "inbox"]
    assert layout.folders == tuple(
        tmp_path / "a" / "b" / name for name in ("inbox", "images", "done", "failed", ".work")
    )
    assert [path.name for path in (layout.lock_file, layout.status_file, layout.worker_file)] == [
        *("daemon.lock", "status.json", "worker.json")
    ]
    assert layout.lock_file.parent == layout.status_file.parent == layout.worker_file.parent
    layout.check()
    assert names(layout.inbox) == ["cat.txt"]
    assert names(layout.work) == []


def test_a_folder_that_cannot_be_created_is_refused(tmp_path: Path) -> None:
    """The refusal names it, the error, and where to go instead."""
    (tmp_path / "images").touch()
    with pytest.raises(MpsDoctorError) as refusal:
        Layout(tmp_path).create()
    assert str(refusal.value) == (
        f"The hot folder {tmp_path} cannot be created\n"
        f"Creating {tmp_path / 'images'} failed: File exists.\n{ELSEWHERE}"
    )


def test_a_folder_on_another_disk_is_refused(layout: Layout) -> None:
    """Moves between disks are copies, so such a hot folder is refused."""
    other = Path("/dev/shm" if sys.platform == "linux" else "/dev")
    layout.check()
    layout.images.rmdir()
    layout.images.symlink_to(other)
    if other.stat().st_dev == layout.root.stat().st_dev:
        pytest.skip("there is no other disk")
    with pytest.raises(MpsDoctorError) as refusal:
        layout.check()
    assert str(refusal.value) == (
        f"The folders of {layout.root} are on different disks\n"
        "A file can be moved safely only within one disk.\n"
        "Replace links and mount points in the hot folder with real folders."
    )


def test_each_folder_is_tried_by_moving_a_file(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier try left is in nobody's way, and no try leaves anything."""
    tried: list[Path] = []

    def move(source: Path, target: Path) -> None:
        files.rename_noreplace(source, target)
        tried.append(target.parent)

    monkeypatch.setattr(layout_module, "rename_noreplace", move)
    for folder in layout.folders:
        (folder / ".mpsdoctor-probe-moved").touch()
    layout.check()
    assert tried == list(layout.folders)
    for folder in layout.folders:
        assert names(folder) == []

        def refuse(source: Path, target: Path, refused: Path = folder) -> None:
            if target.parent == refused:
                raise OSError(1, "Operation not permitted")
            move(source, target)

        monkeypatch.setattr(layout_module, "rename_noreplace", refuse)
        with pytest.raises(MpsDoctorError) as refusal:
            layout.check()
        assert str(refusal.value) == (
            f"The folder {folder} cannot be used\n"
            f"Creating a file there and moving it failed: Operation not permitted.\n{ELSEWHERE}"
        )
        assert names(layout.work) == []


def test_a_folder_that_cannot_be_listed_is_refused(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """macOS may let a program move files in a folder and still not list it."""

    def refuse(folder: Path) -> list[Path]:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(MpsDoctorError, match="cannot be used"):
        layout.check()
