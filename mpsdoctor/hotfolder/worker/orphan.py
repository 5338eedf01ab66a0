"""A worker that outlived its daemon: it holds the memory that the next worker needs."""

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
# Linux derives start times from a boot time that moves when the clock is set.
_SAME_S = 2.0


class _WorkerProcess(Record):
    """A process id may be another process's later; together with the start time it is not."""

    pid: int
    create_time: float


def record_worker(path: Path, pid: int) -> None:
    """Notes which process the worker is; one that has ended already needs no note."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = _WorkerProcess(pid=pid, create_time=psutil.Process(pid).create_time())
        replace_file(path, msgspec.json.encode(process))


def end_orphan(path: Path) -> None:
    """Kills the worker that was noted, where it still lives; returns when its memory is free.

    A worker ends by itself when its daemon has gone, except when the GPU keeps it.
    """
    with contextlib.suppress(OSError, ValueError, psutil.Error):
        noted = msgspec.json.decode(path.read_bytes(), type=_WorkerProcess)
        process = psutil.Process(noted.pid)
        if abs(process.create_time() - noted.create_time) > _SAME_S or not _lives(process):
            return
        logger.warning("ending worker %d of an earlier daemon", noted.pid)
        process.kill()
        deadline = time.monotonic() + _GRACE_S
        while _lives(process) and time.monotonic() < deadline:
            time.sleep(_POLL_S)


def _lives(process: psutil.Process) -> bool:
    """A zombie only waits to be noticed by its parent."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
