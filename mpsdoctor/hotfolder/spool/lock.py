"""One daemon per hot folder."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.pause import Pause
from mpsdoctor.hotfolder.spool.layout import Layout

# `read_status` takes the lock for a moment to see whether a daemon holds it.
_TRIES = 5
_PAUSE_S = 0.05


@contextlib.contextmanager
def locked(layout: Layout) -> Iterator["Hold"]:
    """Locks the hot folder's lock file, and writes this process's id into it.

    The kernel releases the lock when the process ends in any way (flock(2)). The worker does not
    inherit it. Raises MpsDoctorError if another daemon holds it.
    """
    hold = Hold(layout)
    try:
        yield hold
    finally:
        hold.close()


class Hold:
    """A daemon's hold on its hot folder, which the user may move, delete or eject."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._root = _identity(layout.root)
        self._descriptor = _acquire(layout.lock_file)

    def restore(self) -> Pause | None:
        """Creates deleted folders again, and takes the lock again if its file was deleted.

        Another folder under the root's name may be the same disk, reconnected, or the empty mount
        point of an ejected disk. Nothing is created in it unless it is a hot folder already.
        Returns why the queue pauses, or None if all is well. Raises MpsDoctorError if another
        daemon holds the lock by now, and OSError if the disk refuses.
        """
        layout = self._layout
        try:
            root = _identity(layout.root)
            if root != self._root:
                layout.lock_file.lstat()
            for folder in layout.folders:
                folder.mkdir(exist_ok=True)
        except (FileNotFoundError, NotADirectoryError):
            return Pause(
                kind="folder",
                title=f"The hot folder {layout.root} is gone",
                hint="If its disk was ejected, reconnect it. If it was renamed, give it its old "
                "name. The queue then continues by itself. To use a new folder, start "
                "mpsdoctor watch again.",
            )
        except FileExistsError as error:
            return Pause(
                kind="folder",
                title=f"{error.filename} is no longer a folder",
                hint="Move it away. The queue then continues by itself.",
            )
        if not _is_open(self._descriptor, layout.lock_file):
            descriptor = _acquire(layout.lock_file)
            self.close()
            self._descriptor = descriptor
        self._root = root
        return None

    def close(self) -> None:
        """Releases the lock."""
        with contextlib.suppress(OSError):  # its disk may have gone
            os.close(self._descriptor)


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _is_open(descriptor: int, path: Path) -> bool:
    """Whether the open file is still the one at `path`.

    Raises OSError if the disk does not say: then the lock may still be held.
    """
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    try:
        return os.path.samestat(os.fstat(descriptor), there)
    except OSError:  # its disk was disconnected
        return False


def _acquire(path: Path) -> int:
    """A descriptor that holds the lock. Raises MpsDoctorError if another process holds it."""
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE_S)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_open(descriptor, path):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
                return descriptor
        except BlockingIOError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    raise _already_watched(path)


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
    """The process id in the lock file; None if it cannot be read."""
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
        hint="Use the running one, or end it first: press control-C in its terminal.",
    )
