"""The daemon's heartbeat in a hot folder."""

import os
from pathlib import Path

import msgspec
import pytest

from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.lock import locked
from mpsdoctor.hotfolder.status.progress import Progress
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


def test_the_heartbeat_is_that_of_the_daemon_that_has_locked_the_folder(tmp_path: Path) -> None:
    """Its age is never negative, even if the clock was set back; a dead daemon has no pid."""
    layout = Layout(tmp_path)
    layout.create()
    with locked(layout):
        assert Heartbeat(os.getpid()) == read(tmp_path, 100.0)
        layout.status_file.write_bytes(msgspec.json.encode(Progress(heartbeat=90.0)))
        assert Heartbeat(os.getpid(), 10.0) == read(tmp_path, 100.0)
        assert Heartbeat(os.getpid(), 0.0) == read(tmp_path, 80.0)
    assert Heartbeat(None, 10.0) == read(tmp_path, 100.0)
