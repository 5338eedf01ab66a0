"""One daemon per hot folder."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError

# `read_status` holds the lock for a moment when it looks whether a daemon does.
_TRIES = 5
_PAUSE_S = 0.05


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock file with this process's id in it.

    The kernel lets go of it when the process ends, however it ends (flock(2)); the worker does
    not inherit it. Raises MpsDoctorError where another daemon holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if not _acquire(descriptor):
            raise _already_watched(path)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int) -> bool:
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE_S)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False


def is_locked(path: Path) -> bool:
    """Whether a living daemon holds the lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def holder(path: Path) -> int | None:
    """The process id in the lock file; None where there is none to read."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _already_watched(path: Path) -> MpsDoctorError:
    process = holder(path)
    who = f" (process {process})" if process else ""
    return MpsDoctorError(
        f"Another mpsdoctor watch{who} already watches {path.parent.parent}",
        detail="Two of them would take each other's prompts.",
        hint="Use the one that runs, or end it first, with control-C where it was started.",
    )
