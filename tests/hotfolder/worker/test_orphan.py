"""A worker that outlived its daemon."""

import subprocess
import sys
from pathlib import Path

import msgspec
import psutil
import pytest

from mpsdoctor.hotfolder.worker.orphan import end_orphan, record_worker

SLEEPING = (sys.executable, "-c", "import time; time.sleep(60)")


def test_the_recorded_worker_is_ended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It has ended when the call returns, so its memory is free for the next one."""
    path = tmp_path / "worker.json"
    with subprocess.Popen(SLEEPING) as worker:
        record_worker(path, worker.pid)
        assert msgspec.json.decode(path.read_bytes()) == {
            "pid": worker.pid,
            "create_time": psutil.Process(worker.pid).create_time(),
        }
        end_orphan(path)
        assert psutil.Process(worker.pid).status() == psutil.STATUS_ZOMBIE
        said = [f"ending worker {worker.pid} of an earlier daemon"]
        assert caplog.messages == said
        end_orphan(path)
        assert worker.wait(0) == -9
    end_orphan(path)
    assert caplog.messages == said


@pytest.mark.parametrize("difference", [-60.0, -3.0, 3.0])
def test_another_process_of_the_same_number_is_left_alone(
    tmp_path: Path, difference: float
) -> None:
    """Process ids are reused; the start time tells two processes apart."""
    with subprocess.Popen(SLEEPING) as other:
        path = tmp_path / "worker.json"
        record_worker(path, other.pid)
        recorded = msgspec.json.decode(path.read_bytes())
        recorded["create_time"] += difference
        path.write_bytes(msgspec.json.encode(recorded))

        end_orphan(path)

        assert other.poll() is None
        other.kill()


def test_a_clock_that_was_set_makes_no_difference(tmp_path: Path) -> None:
    """On Linux a start time moves a little with it."""
    with subprocess.Popen(SLEEPING) as worker:
        path = tmp_path / "worker.json"
        record_worker(path, worker.pid)
        recorded = msgspec.json.decode(path.read_bytes())
        recorded["create_time"] += 1.5
        path.write_bytes(msgspec.json.encode(recorded))
        end_orphan(path)
        assert worker.wait(0) == -9


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b'{"pid": "x"}',
        b'{"pid": -1, "create_time": 0}',
        b'{"pid": 4194305, "create_time": 0}',
    ],
)
def test_a_record_that_names_no_process_ends_none(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut can leave it empty, and its process may have ended long ago."""
    ended: list[psutil.Process] = []
    monkeypatch.setattr(psutil.Process, "kill", ended.append)
    path = tmp_path / "worker.json"
    path.write_bytes(content)
    end_orphan(path)
    end_orphan(tmp_path / "absent.json")
    assert ended == []
    assert path.read_bytes() == content


def test_a_worker_that_has_ended_is_not_recorded(tmp_path: Path) -> None:
    """The record of the last one stays."""
    path = tmp_path / "worker.json"
    path.write_bytes(b"the last one")
    record_worker(path, 2**22 + 1)
    assert path.read_bytes() == b"the last one"
