"""How a directory entry looks from outside."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from mpsdoctor.hotfolder.spool.file_state import FileState


def status(**values: int) -> os.stat_result:
    """What macOS says of a file."""
    there = {"st_ino": 1, "st_size": 9, "st_mtime_ns": 0, "st_mode": 0o100644, "st_blocks": 8}
    return cast(os.stat_result, SimpleNamespace(**{**there, **values}))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, FileState(1, 9, 0)),
        ({"st_flags": 0x40000000, "st_blocks": 0}, FileState(1, 9, 0, dataless=True, hollow=True)),
        ({"st_blocks": 0}, FileState(1, 9, 0, hollow=True)),
        ({"st_blocks": 0, "st_size": 0}, FileState(1, 0, 0)),
        ({"st_flags": 0x20, "st_blocks": 0}, FileState(1, 9, 0)),
        ({"st_birthtime": -2082844800}, FileState(1, 9, 0, busy=True)),
        ({"st_birthtime": -1}, FileState(1, 9, 0, busy=True)),
        ({"st_birthtime": 0}, FileState(1, 9, 0)),
        ({"st_birthtime": 443779200}, FileState(1, 9, 0, busy=True)),
        ({"st_birthtime": 443779201}, FileState(1, 9, 0)),
        ({"st_size": 1, "st_blocks": 0}, FileState(1, 1, 0, hollow=True)),
        ({"st_flags": 0x40000020}, FileState(1, 9, 0, dataless=True)),
        ({"st_mode": 0o040755, "st_blocks": 0}, FileState(1, 9, 0, regular=False, folder=True)),
        ({"st_mode": 0o120755}, FileState(1, 9, 0, regular=False)),
    ],
)
def test_what_macos_says_of_a_file(values: dict[str, int], expected: FileState) -> None:
    """Placeholders of cloud services and Finder's unfinished copies are recognised."""
    assert FileState.of(status(**values), "darwin") == expected


def test_small_files_without_blocks_are_complete_on_linux() -> None:
    """There the file system keeps them beside their names; only macOS has placeholders."""
    assert FileState.of(status(st_blocks=0), "linux") == FileState(1, 9, 0)


def test_a_replaced_file_is_another_state(tmp_path: Path) -> None:
    """Saving by rename shows, even with the same size and time."""
    path, other = tmp_path / "cat.txt", tmp_path / "other"
    for file in (path, other):
        file.write_text("same")
        os.utime(file, (1, 1))
    before = FileState.of(path.lstat())
    other.replace(path)
    assert FileState.of(path.lstat()) != before
