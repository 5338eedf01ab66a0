"""Moves and writes."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mpsdoctor import files
from mpsdoctor.files import move_to_unused, rename_noreplace, write_atomically


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


def test_a_write_that_fails_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until new content is on disk, the old content stays under its name."""
    path = tmp_path / "job.json"
    write_atomically(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_flush", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
