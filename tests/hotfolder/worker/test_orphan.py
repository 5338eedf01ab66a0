"""A worker that outlived its daemon."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from mpsdoctor.hotfolder.worker.orphan import end_orphan, record_worker

SLEEPING = (sys.executable, "-c", "import time; time.sleep(60)")


def test_the_worker_that_was_noted_is_ended(tmp_path: Path) -> None:
    """It has ended when the call returns, so its memory is free for the next one."""
    with subprocess.Popen(SLEEPING) as worker:
        record_worker(tmp_path / "worker.json", worker.pid)
        end_orphan(tmp_path / "worker.json")
        assert worker.wait(0) < 0
    end_orphan(tmp_path / "worker.json")


def test_another_process_of_the_same_number_is_left_alone(tmp_path: Path) -> None:
    """Process ids are reused; the start time tells two processes apart."""
    with subprocess.Popen(SLEEPING) as other:
        path = tmp_path / "worker.json"
        record_worker(path, other.pid)
        noted = msgspec.json.decode(path.read_bytes())
        path.write_bytes(msgspec.json.encode({**noted, "create_time": noted["create_time"] - 60}))

        end_orphan(path)

        assert other.poll() is None
        other.kill()


@pytest.mark.parametrize("content", [b"", b"{", b'{"pid": "x"}', b'{"pid": -1, "create_time": 0}'])
def test_a_note_that_is_none_does_no_harm(tmp_path: Path, content: bytes) -> None:
    """A power cut can leave it empty."""
    path = tmp_path / "worker.json"
    path.write_bytes(content)
    end_orphan(path)
    end_orphan(tmp_path / "absent.json")
    record_worker(path, 2**22 + 1)
