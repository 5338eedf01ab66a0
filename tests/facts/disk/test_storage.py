"""Folders and volumes, in temporary folders and from recorded output."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from mpsdoctor.facts.command import CommandResult, Runner
from mpsdoctor.facts.disk import storage
from mpsdoctor.facts.records import Folder, Place, Volume

HOME = Path("/Users/jo")


def answering(stdout: str, exit_code: int = 0) -> Runner:
    """A runner that gives `stdout` to every command."""
    return lambda argv, timeout: CommandResult(exit_code, stdout)


def never(argv: Sequence[str], timeout: float) -> CommandResult:
    """A machine on which nothing may be started."""
    raise AssertionError(argv)


def volume_of(found: Folder) -> Volume:
    """A volume of this machine: its type and some free space are known, and nothing else."""
    volume = found.volume
    assert volume.free_bytes
    assert volume.filesystem
    return Volume(filesystem=volume.filesystem, free_bytes=volume.free_bytes)


@pytest.mark.parametrize(
    ("path", "filesystem", "place"),
    [
        ("/Users/jo/mpsdoctor", "apfs", Place.ORDINARY),
        ("/Users/jo", "apfs", Place.ORDINARY),
        ("/Users/jo/Desktop/prompts", "apfs", Place.USER_FOLDER),
        ("/Users/jo/documents", "apfs", Place.USER_FOLDER),
        ("/Users/jo/Downloads/a/b", "apfs", Place.USER_FOLDER),
        ("/Users/jo/my/Desktop", "apfs", Place.ORDINARY),
        ("/Users/jo/Library/Mobile Documents/com~apple~CloudDocs/x", "apfs", Place.CLOUD),
        ("/Users/jo/Library/CloudStorage/Dropbox/x", "apfs", Place.CLOUD),
        ("/Users/jo/Library/Caches/x", "apfs", Place.ORDINARY),
        ("/Users/jo/Dropbox/x", "apfs", Place.CLOUD),
        ("/Users/jo/OneDrive", "smbfs", Place.CLOUD),
        ("/Users/jo/Google Drive/x", "apfs", Place.CLOUD),
        ("/Users/jo/Library", "apfs", Place.ORDINARY),
        ("/Users/jo/Mobile Documents/x", "apfs", Place.ORDINARY),
        ("/Users/joe/Desktop/x", "apfs", Place.ORDINARY),
        *(("/mnt/x", kind, Place.NETWORK) for kind in ("nfs4", "afpfs", "webdav", "ftp", "cifs")),
        *(("/mnt/x", kind, Place.NETWORK) for kind in ("smb3", "9p", "ceph", "glusterfs")),
        *(("/mnt/x", kind, Place.NETWORK) for kind in ("fuse.sshfs", "fuse.rclone", "fuse.s3fs")),
        *(("/mnt/x", kind, Place.NETWORK) for kind in ("macfuse", "osxfuse", "vboxsf", "virtiofs")),
        ("/Users/jo/share/x", "smbfs", Place.NETWORK),
        ("/Volumes/share/x", "nfs", Place.NETWORK),
        ("/Volumes/Extreme SSD/x", "apfs", Place.EXTERNAL),
        ("/Volumes/Stick", None, Place.EXTERNAL),
        ("/opt/prompts", "apfs", Place.ORDINARY),
    ],
)
def test_a_place_is_known_by_path_and_filesystem(
    path: str, filesystem: str | None, place: Place
) -> None:
    """Protected, cloud, network and other volumes are each recognized."""
    assert place is storage.place(Path(path), HOME, filesystem)


def test_a_folder_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    """A usable folder is recognized, with its free bytes, and the test file is gone."""
    found = storage.folder(tmp_path, HOME, never, "Linux")
    assert found == Folder(
        path=str(tmp_path.resolve()), exists=True, usable=True, volume=volume_of(found)
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_judged_by_the_one_above(tmp_path: Path) -> None:
    """A missing folder is usable if its nearest existing parent is writable."""
    path = tmp_path.resolve()
    found = storage.folder(tmp_path / "a" / "b", HOME, never, "Linux")
    assert found == Folder(
        path=str(path / "a" / "b"),
        exists=False,
        usable=True,
        volume=volume_of(found),
        nearest=str(path),
    )
    assert storage.nearest(Path("relative/none")) == Path()


def test_without_a_home_directory_nothing_is_tried() -> None:
    """The folder is named as it was given."""
    for path in ("~", "~/mpsdoctor"):
        assert storage.folder(Path(path), HOME, never, "Darwin") == Folder(
            path=path, exists=False, usable=False, error="there is no home directory"
        )


def test_a_file_in_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    """A file in place of a folder is named by its errno."""
    file = tmp_path / "inbox"
    file.touch()
    found = storage.folder(file, HOME, never, "Linux")
    assert (found.exists, found.usable, found.error) == (True, False, "ENOTDIR")


@pytest.mark.parametrize("code", [errno.EPERM, errno.EACCES, errno.EROFS])
def test_a_refusal_is_recorded_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Privacy protection answers EPERM, permissions EACCES, a read-only volume EROFS."""

    def refuse(path: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "scandir", refuse)
    found = storage.folder(tmp_path, HOME, never, "Linux")
    assert (found.usable, found.error) == (False, errno.errorcode[code])


def test_a_link_to_a_cloud_folder_is_a_cloud_folder(tmp_path: Path) -> None:
    """Links such as ~/Dropbox count as the folder that they lead to."""
    real = tmp_path / "Library" / "CloudStorage" / "Box"
    real.mkdir(parents=True)
    (tmp_path / "box").symlink_to(real)
    found = storage.folder(tmp_path / "box", tmp_path, never, "Linux")
    assert (found.place, found.path) == (Place.CLOUD, str(real.resolve()))


@pytest.mark.parametrize(
    ("answer", "available"),
    [
        ("994662584320\n", 994662584320),
        ("0\n", None),
        ("", None),
        ("undefined\n", None),
        ("execution error: -1743\n", None),
    ],
)
def test_only_a_number_of_bytes_is_available(answer: str, available: int | None) -> None:
    """Only a positive number counts; 0 means that the volume has none."""
    assert available == storage.available_bytes(Path("/"), answering(answer))


def test_a_hot_folder_that_is_not_there_has_no_volume_of_its_own() -> None:
    """As on a disk that was removed."""
    gone = storage.hot_folder(Path("/nonexistent/prompts"), HOME, never, "Linux")
    assert (gone.folder.exists, gone.one_volume) == (False, None)


def test_a_mac_is_asked_about_the_folder_itself(tmp_path: Path) -> None:
    """The path is an argument of the script, never part of it."""
    asked: list[Sequence[str]] = []

    def run(argv: Sequence[str], timeout: float) -> CommandResult:
        asked.append(argv)
        return CommandResult(0, "5000\n")

    found = storage.folder(tmp_path / 'a"b', HOME, run, "Darwin")
    assert found.volume.available_bytes == 5000
    assert asked == [(*storage.AVAILABLE_COMMAND, str(tmp_path.resolve()))]


def test_the_innermost_mount_names_the_filesystem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share that is mounted inside a local disk is a share."""
    mounts = [("/", "apfs"), (str(tmp_path), "smbfs"), (f"{tmp_path}-other", "nfs")]
    listed = [SimpleNamespace(mountpoint=point, fstype=kind) for point, kind in mounts]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: listed)
    found = storage.folder(tmp_path / "x", HOME, never, "Linux")
    assert (found.place, found.volume.filesystem) == (Place.NETWORK, "smbfs")


def test_folders_of_a_hot_folder_are_compared(tmp_path: Path) -> None:
    """Without subfolders the answer is unknown; a link to another volume is detected."""
    assert storage.hot_folder(tmp_path, HOME, never, "Linux").one_volume is None
    (tmp_path / "inbox").mkdir()
    assert storage.hot_folder(tmp_path, HOME, never, "Linux").one_volume is True
    (tmp_path / "images").symlink_to("/dev")  # a file system of its own, on every Unix
    assert storage.hot_folder(tmp_path, HOME, never, "Linux").one_volume is False
