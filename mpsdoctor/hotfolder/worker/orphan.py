"""Ends a worker that outlived its daemon and still holds its memory."""

import contextlib
import logging
import time
from pathlib import Path

import msgspec
import psutil

from mpsdoctor.files import replace_file
from mpsdoctor.records import Record

logger = logging.getLogger(__name__)

_GRACE_S = 5.0
_POLL_S = 0.02
# Linux computes start times from a boot time that changes when the clock is set.
_SAME_S = 2.0


class _WorkerProcess(Record):
    """Process ids are reused; together with the start time they are unique."""

    pid: int
    create_time: float


def record_worker(path: Path, pid: int) -> None:
    """Records which process the worker is, unless it has already ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = _WorkerProcess(pid=pid, create_time=psutil.Process(pid).create_time())
        replace_file(path, msgspec.json.encode(process))


def end_orphan(path: Path) -> None:
    """Kills the recorded worker if it is still alive; returns when its memory is free.

    A worker ends by itself when its daemon has ended, unless it is stuck in the GPU.
    """
    with contextlib.suppress(OSError, ValueError, psutil.Error):
        recorded = msgspec.json.decode(path.read_bytes(), type=_WorkerProcess)
        process = psutil.Process(recorded.pid)
        if abs(process.create_time() - recorded.create_time) > _SAME_S or not _is_alive(process):
            return
        logger.warning("ending worker %d of an earlier daemon", recorded.pid)
        process.kill()
        deadline = time.monotonic() + _GRACE_S
        while _is_alive(process) and time.monotonic() < deadline:
            time.sleep(_POLL_S)


def _is_alive(process: psutil.Process) -> bool:
    """A zombie has ended and only waits for its parent."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
