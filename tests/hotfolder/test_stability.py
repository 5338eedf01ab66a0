"""Completeness."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.hotfolder.stability import Sight, Watched, complete, observe

SETTLE, PATIENCE = 1.0, 30.0


def names(watched: dict[str, Watched], now: float) -> list[str]:
    """The complete ones."""
    return list(complete(watched, now, settle=SETTLE, patience=PATIENCE))


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(1, 2)), min_size=1))
def test_complete_means_unchanged_over_the_settle_time(looks: list[tuple[float, int]]) -> None:
    """A file is complete exactly if all looks of the last second found it as it is now."""
    watched: dict[str, Watched] = {}
    now, since, before = 0.0, 0.0, 0
    for pause, size in looks:
        now += pause
        if size != before:
            since, before = now, size
        watched = observe(watched, {"cat.txt": Sight(1, size, 0)}, now)
        assert (names(watched, now) == ["cat.txt"]) == (now - since >= SETTLE)


@pytest.mark.parametrize(
    ("sight", "wait"),
    [
        (Sight(1, 0, 0), PATIENCE),
        (Sight(1, 96, 0, regular=False, folder=True), PATIENCE),
        (Sight(1, 0, 0, regular=False), SETTLE),
        (Sight(1, 9, 0, busy=True), float("inf")),
    ],
)
def test_some_things_need_longer(sight: Sight, wait: float) -> None:
    """Empty files and folders get patience, what Finder is copying all the time it takes."""
    watched = observe({}, {"x": sight}, 0.0)
    for now in (0.5, SETTLE, PATIENCE - 1, PATIENCE, 1e6):
        assert (names(watched, now) == ["x"]) == (now >= wait)


def test_the_oldest_comes_first_and_what_has_gone_is_forgotten() -> None:
    """Files come in the order of their modification; a vanished file begins anew."""
    sights = {"new.txt": Sight(1, 5, 20), "old.txt": Sight(2, 5, 10)}
    watched = observe({}, sights, 0.0)
    assert names(watched, 1.0) == ["old.txt", "new.txt"]
    watched = observe(observe(watched, {}, 1.0), sights, 2.0)
    assert names(watched, 2.0) == []


def test_a_replaced_file_is_another_sight(tmp_path: Path) -> None:
    """Saving by rename shows, even with the same size and time."""
    path, other = tmp_path / "cat.txt", tmp_path / "other"
    for file in (path, other):
        file.write_text("same")
        os.utime(file, (1, 1))
    before = Sight.of(path.lstat())
    other.replace(path)
    assert Sight.of(path.lstat()) != before
