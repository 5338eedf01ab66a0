"""Completeness."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.hotfolder.inbox.stability import Watched, complete_at, observe
from mpsdoctor.hotfolder.spool.file_state import FileState

SETTLE, SETTLE_EMPTY = 1.0, 30.0


def is_complete(watched: dict[str, Watched], name: str, now: float) -> bool:
    """Whether its time has come."""
    at = complete_at(watched[name], settle=SETTLE, settle_empty=SETTLE_EMPTY)
    return at is not None and at <= now


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(1, 2)), min_size=1))
def test_complete_means_unchanged_over_the_settle_time(looks: list[tuple[float, int]]) -> None:
    """A file is complete exactly if all looks of the last second found it as it is now."""
    watched: dict[str, Watched] = {}
    now, since, before = 0.0, 0.0, 0
    for pause, size in looks:
        now += pause
        if size != before:
            since, before = now, size
        watched = observe(watched, {"cat.txt": FileState(1, size, 0)}, now)
        assert is_complete(watched, "cat.txt", now) == (since + SETTLE <= now)


@pytest.mark.parametrize(
    ("state", "wait"),
    [
        (FileState(1, 0, 0), SETTLE_EMPTY),
        (FileState(1, 96, 0, regular=False, folder=True), SETTLE_EMPTY),
        (FileState(1, 0, 0, regular=False), SETTLE),
        (FileState(1, 9, 0, hollow=True), SETTLE_EMPTY),
        (FileState(1, 9, 0, busy=True), float("inf")),
        (FileState(1, 9, 0, dataless=True), float("inf")),
    ],
)
def test_some_things_need_longer(state: FileState, wait: float) -> None:
    """Empty files and folders wait longer; Finder's copies and cloud files wait until complete."""
    watched = observe({}, {"x": state}, 0.0)
    for now in (0.5, SETTLE, SETTLE_EMPTY - 1, SETTLE_EMPTY, 1e6):
        assert is_complete(watched, "x", now) == (now >= wait)


def test_what_has_gone_is_forgotten() -> None:
    """A file that comes back starts again."""
    states = {"cat.txt": FileState(1, 5, 10)}
    watched = observe({}, states, 0.0)
    watched = observe(observe(watched, {}, 1.0), states, 2.0)
    assert not is_complete(watched, "cat.txt", 2.0)


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
        ({"st_birthtime": 443779200}, FileState(1, 9, 0, busy=True)),
        ({"st_mode": 0o120755}, FileState(1, 9, 0, regular=False)),
    ],
)
def test_what_macos_says_of_a_file(values: dict[str, int], expected: FileState) -> None:
    """Placeholders of cloud services and Finder's unfinished copies are recognised."""
    assert FileState.of(status(**values), "darwin") == expected


def test_a_replaced_file_is_another_state(tmp_path: Path) -> None:
    """Saving by rename shows, even with the same size and time."""
    path, other = tmp_path / "cat.txt", tmp_path / "other"
    for file in (path, other):
        file.write_text("same")
        os.utime(file, (1, 1))
    before = FileState.of(path.lstat())
    other.replace(path)
    assert FileState.of(path.lstat()) != before
