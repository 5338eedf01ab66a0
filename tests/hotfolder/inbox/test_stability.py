"""When a dropped file is complete."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.hotfolder.inbox.stability import Watched, complete_at, observe, settle_seconds
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


@pytest.mark.parametrize(
    ("volume", "seconds"), [("apfs", 1.0), (None, 1.0), ("smbfs", 10.0), ("nfs", 10.0)]
)
def test_files_on_network_volumes_need_longer(
    tmp_path: Path, volume: str | None, seconds: float
) -> None:
    """The volume is that of the folder behind a link."""
    asked = []

    def volume_of(path: Path) -> str | None:
        asked.append(path)
        return volume

    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert settle_seconds(tmp_path / "link", volume_of) == seconds
    assert asked == [(tmp_path / "real").resolve()]
    assert settle_seconds(tmp_path) == 1.0
