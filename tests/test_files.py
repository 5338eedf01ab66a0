"""Moves and writes."""

import ctypes
import errno
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest

from mpsdoctor import files
from mpsdoctor.files import (
    exists,
    folded,
    move,
    move_to_unused,
    numbered,
    numbered_names,
    read_regular,
    rename_noreplace,
    replace_file,
    same_file,
    write_atomically,
)


@pytest.fixture(params=["kernel", "link"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own rename, and what stands in for it where the disk knows none."""
    if request.param == "link":
        monkeypatch.setattr(files, "_rename", None)


def make(path: Path, kind: str) -> None:
    """A file, folder or dangling symlink."""
    if kind == "file":
        path.write_text(path.name)
    elif kind == "folder":
        path.mkdir()
        (path / "inside").touch()
    else:
        path.symlink_to("nowhere")


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("there", ["file", "folder", "symlink"])
@pytest.mark.parametrize("kind", ["file", "folder", "symlink"])
def test_a_rename_never_overwrites(tmp_path: Path, kind: str, there: str) -> None:
    """Anything can be moved to a free name, and to no name that is taken."""
    source, taken, free = tmp_path / "source", tmp_path / "taken", tmp_path / "free"
    make(source, kind)
    make(taken, there)
    before = os.lstat(source), os.lstat(taken)
    with pytest.raises(FileExistsError):
        rename_noreplace(source, taken)
    assert [status.st_ino for status in before] == [
        os.lstat(path).st_ino for path in (source, taken)
    ]
    rename_noreplace(source, free)
    assert not os.path.lexists(source)
    assert os.lstat(free).st_ino == before[0].st_ino


@pytest.mark.usefixtures("way")
def test_moves_at_the_same_time_find_different_names(tmp_path: Path) -> None:
    """Many files that want one name all arrive, each under a name of its own."""
    target = tmp_path / "target"
    target.mkdir()
    sources = [tmp_path / str(number) for number in range(40)]
    for source in sources:
        source.write_text(source.name)
    with ThreadPoolExecutor(4) as pool:
        moved = list(pool.map(lambda path: move_to_unused(path, target, "cat", ".png"), sources))
    assert sorted(path.read_text() for path in moved) == sorted(path.name for path in sources)
    assert {path.name for path in moved} == {
        "cat.png",
        *(f"cat-{number}.png" for number in range(2, 41)),
    }


def test_the_first_unused_name_is_found_among_many(tmp_path: Path) -> None:
    """Names differ by more than case and accents; the search may begin further up."""
    for name in ("Café.txt", "cafe\u0301-2.txt", "CAFÉ-4.TXT"):
        (tmp_path / name).touch()

    def moved(first: int) -> str:
        source = tmp_path / "source"
        source.touch()
        return move_to_unused(source, tmp_path, "café", ".txt", first).name

    assert [moved(1), moved(1), moved(7), moved(7)] == [
        "café-3.txt",
        "café-5.txt",
        "café-7.txt",
        "café-8.txt",
    ]


def test_a_folder_that_is_renamed_during_a_move_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has arrived is brought onto the disk wherever the user has put the folders since."""
    for name in ("from", "to"):
        (tmp_path / name).mkdir()
    (tmp_path / "from" / "x").touch()

    def rename(source: Path, target: Path) -> None:
        source.rename(target)
        for name in ("from", "to"):
            (tmp_path / name).rename(tmp_path / f"{name} now")

    monkeypatch.setattr(files, "rename_noreplace", rename)
    move(tmp_path / "from" / "x", tmp_path / "to" / "x")
    assert (tmp_path / "to now" / "x").exists()


@pytest.mark.parametrize("code", [errno.ENOTSUP, errno.EINVAL, errno.ENOSYS])
def test_a_volume_without_the_kernels_rename_gets_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """What the file system does not know is done in two steps; what it refuses is refused."""

    def refuse(source: bytes, target: bytes) -> int:
        ctypes.set_errno(code)
        return -1

    monkeypatch.setattr(files, "_rename", refuse)
    source, target = tmp_path / "source", tmp_path / "target"
    source.touch()
    rename_noreplace(source, target)
    assert target.exists()
    code = errno.EIO
    with pytest.raises(OSError, match="Input/output"):
        rename_noreplace(target, source)


@pytest.mark.parametrize("code", [errno.ENOTSUP, errno.EINVAL, errno.ENOTTY])
def test_macos_flushes_the_drive_and_falls_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """On macOS each flush is F_FULLFSYNC; fsync stands in where a volume does not know it."""
    asked: list[object] = []

    def full(descriptor: int, command: int) -> None:
        asked.append(command)
        raise OSError(code, "unknown")

    monkeypatch.setattr(files, "sys", SimpleNamespace(platform="darwin"))
    monkeypatch.setattr(files, "fcntl", SimpleNamespace(fcntl=full, F_FULLFSYNC=51))
    monkeypatch.setattr(os, "fsync", lambda descriptor: asked.append("fsync"))
    write_atomically(tmp_path / "x", b"x")
    assert asked == [51, "fsync", 51, "fsync"]


def test_all_of_the_content_is_flushed_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole file is flushed while the old content has the name, then the folder is."""
    path = tmp_path / "x"
    path.write_bytes(b"old")
    flushed: list[tuple[int | None, bytes]] = []

    def flush(descriptor: int) -> None:
        status = os.fstat(descriptor)
        size = status.st_size if stat.S_ISREG(status.st_mode) else None
        flushed.append((size, path.read_bytes()))

    monkeypatch.setattr(files, "_flush", flush)
    write_atomically(path, b"newer")
    assert flushed == [(5, b"old"), (None, b"newer")]


@pytest.mark.usefixtures("way")
def test_a_move_by_link_that_was_interrupted_is_completed(tmp_path: Path) -> None:
    """Both names of the file are there then; the old one goes."""
    source, target = tmp_path / "source", tmp_path / "folder" / "a.txt"
    source.write_text("a")
    target.parent.mkdir()
    os.link(source, target)

    assert target == move_to_unused(source, target.parent, "a", ".txt")

    assert ["a.txt"] == os.listdir(target.parent)  # noqa: PTH208
    assert not source.exists()


def test_a_name_is_used_up_to_case_and_accents() -> None:
    """As APFS compares names."""
    assert folded("Straße") == folded("STRASSE") == folded("strasse")
    assert folded("Café") == folded("cafe\u0301") != folded("Cafe")
    assert "a-b.txt" == folded("A-b.TXT")


def test_numbered_names_fit_into_255_bytes() -> None:
    """The stem is cut at a whole character, the number and the suffix stay."""
    assert ["a.txt", "a-2.txt", "a-3.txt"] == list(islice(numbered_names("a", ".txt"), 3))
    assert ("ä" * 125 + ".txt", "ä" * 124 + "-2.txt") == (
        numbered("ä" * 200, ".txt", 1),
        numbered("ä" * 200, ".txt", 2),
    )
    assert "a" * 251 + ".txt" == numbered("a" * 251, ".txt", 1)


def test_names_of_files_are_told_apart(tmp_path: Path) -> None:
    """A dangling link is something; what cannot be looked at is an error, not nothing."""
    file, link, other = tmp_path / "file", tmp_path / "link", tmp_path / "other"
    file.touch()
    other.touch()
    link.symlink_to("nowhere")
    os.link(file, tmp_path / "second")

    assert [True, True, False] == [exists(file), exists(link), exists(tmp_path / "absent")]
    assert [True, False, False, False] == [
        same_file(file, path) for path in (tmp_path / "second", other, link, tmp_path / "absent")
    ]
    with pytest.raises(NotADirectoryError):
        exists(file / "inside")


def test_only_a_regular_file_of_a_limited_size_is_read(tmp_path: Path) -> None:
    """A pipe would wait for its writer; a device may never end."""
    file, pipe = tmp_path / "file", tmp_path / "pipe"
    file.write_bytes(b"123")
    os.mkfifo(pipe)

    assert b"123" == read_regular(file, 3) == read_regular(file)
    open_before = len(os.listdir("/dev/fd"))  # noqa: PTH208
    for path, most, code, why in (
        (file, 2, errno.EFBIG, "Larger than such a file can be"),
        (pipe, 9, errno.EINVAL, "Not a regular file"),
        (Path("/dev/zero"), 9, errno.EINVAL, "Not a regular file"),
        (tmp_path, 9, errno.EINVAL, "Not a regular file"),
    ):
        with pytest.raises(OSError, match=why) as refused:
            read_regular(path, most)
        assert (code, why, str(path)) == (
            refused.value.errno,
            refused.value.strerror,
            refused.value.filename,
        )
    assert open_before == len(os.listdir("/dev/fd"))  # noqa: PTH208


@pytest.mark.parametrize("write", [replace_file, write_atomically])
def test_a_write_that_fails_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, bytes], None]
) -> None:
    """Until new content is there, the old content stays under its name, and nothing beside it."""
    path = tmp_path / "job.json"
    write_atomically(path, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for place, name in ((files, "_flush"), (Path, "replace")):
        with monkeypatch.context() as context:
            context.setattr(place, name, full)
            if name == "replace" or write is write_atomically:
                with pytest.raises(OSError, match="No space"):
                    write(path, b"new")
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("write", [replace_file, write_atomically])
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_who_may_read_a_file_stays_so(
    tmp_path: Path, mode: int, write: Callable[[Path, bytes], None]
) -> None:
    """Whatever the umask, new content is for those that the old was for."""
    path = tmp_path / "profile.toml"
    path.touch()
    path.chmod(mode)
    write(path, b"new")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", mode)
