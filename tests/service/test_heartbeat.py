"""The daemon's heartbeat in a hot folder."""

from pathlib import Path

import pytest

from mpsdoctor.service.heartbeat import Heartbeat, read


@pytest.mark.parametrize(
    ("heartbeat", "pid", "is_of"),
    [
        (Heartbeat(), None, False),
        (Heartbeat(), 7, False),
        (Heartbeat(7), None, False),
        (Heartbeat(7), 7, True),
        (Heartbeat(7, 29.9), 7, True),
        (Heartbeat(7, 30.0), 7, False),
        (Heartbeat(8, 1.0), 7, False),
    ],
)
def test_a_process_is_alive_if_it_is_the_one_that_beats(
    heartbeat: Heartbeat, pid: int | None, is_of: bool
) -> None:
    """Within the last 30 seconds, or if it has locked the folder and not beaten yet."""
    assert is_of is heartbeat.is_of(pid)


def test_a_folder_without_a_daemon_has_no_heartbeat(tmp_path: Path) -> None:
    """Whether the folder exists or not."""
    assert Heartbeat() == read(tmp_path, 100.0) == read(tmp_path / "absent", 100.0)
