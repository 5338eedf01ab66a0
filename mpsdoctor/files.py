"""Moves that never overwrite, and writes that survive a power cut."""

import contextlib
import ctypes
import errno
import fcntl
import itertools
import os
import stat
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from mpsdoctor.units import MIB

# APFS and ext4 allow 255 bytes of UTF-8 in a name.
MAX_NAME_BYTES: Final = 255

# The answers of file systems that cannot rename without overwriting.
_UNSUPPORTED = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})
_NO_FLUSH = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY})

_Rename = Callable[[bytes, bytes], int]


def _kernel_rename() -> _Rename | None:
    """The system's rename that refuses an existing target; None if libc has none.

    macOS: renameatx_np(2), AT_FDCWD = -2, RENAME_EXCL = 4. Linux: renameat2(2), AT_FDCWD = -100,
    RENAME_NOREPLACE = 1. Both take the same arguments.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    on_mac = sys.platform == "darwin"
    try:
        rename = libc.renameatx_np if on_mac else libc.renameat2
    except AttributeError:
        return None
    here, flag = (-2, 4) if on_mac else (-100, 1)
    path = ctypes.c_char_p
    rename.argtypes = [ctypes.c_int, path, ctypes.c_int, path, ctypes.c_uint]
    return lambda source, target: int(rename(here, source, here, target, flag))


_rename = _kernel_rename()


def rename_noreplace(source: Path, target: Path) -> None:
    """Renames atomically within one volume, without following a symlink.

    Raises FileExistsError if `target` exists, and OSError as rename(2) does.
    """
    if _rename is None:
        return _rename_by_link(source, target)
    if _rename(os.fsencode(source), os.fsencode(target)) == 0:
        return None
    code = ctypes.get_errno()
    if code in _UNSUPPORTED:
        return _rename_by_link(source, target)
    raise OSError(code, os.strerror(code), str(source), None, str(target))


def _rename_by_link(source: Path, target: Path) -> None:
    """Links a file to its new name; a folder replaces an empty one that is made for it.

    If it was interrupted between the two steps, the same call completes the move.
    """
    if source.is_dir() and not source.is_symlink():
        target.mkdir()
        source.rename(target)
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        if not same_file(source, target):
            raise
    source.unlink()


def move(source: Path, target: Path) -> None:
    """Like `rename_noreplace`, and on disk when it returns.

    An OSError after the rename means that the disk did not confirm it. The folders are opened
    first, so it does not matter if they are renamed in the meantime.
    """
    with _opened(target.parent) as arrival, _opened(source.parent) as departure:
        rename_noreplace(source, target)
        _flush(arrival)
        _flush(departure)


def move_to_unused(source: Path, folder: Path, stem: str, suffix: str, first: int = 1) -> Path:
    """Moves to the first unused of `stem.suffix`, `stem-2.suffix`, …; returns the new path.

    A name is used if it is `folded` like one in `folder`, whatever the file system thinks. The
    search starts at number `first`. An interrupted move by link is completed.
    """
    used = names_used(folder)
    for number in itertools.count(first):
        target = folder / numbered(stem, suffix, number)
        if folded(target.name) not in used:
            with contextlib.suppress(FileExistsError):
                move(source, target)
                return target
        elif same_file(source, target):
            source.unlink()
            sync(source.parent)
            return target
    raise AssertionError("the numbers never end")


def exists(path: Path) -> bool:
    """Whether anything has that name. Raises OSError if that cannot be found out."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def same_file(path: Path, other: Path) -> bool:
    """Whether both are names of the same file."""
    try:
        return os.path.samestat(path.lstat(), other.lstat())
    except FileNotFoundError:
        return False


def names_used(folder: Path) -> set[str]:
    """The names in `folder`, folded."""
    return {folded(name) for name in os.listdir(folder)}  # noqa: PTH208 (twice as fast)


def folded(name: str) -> str:
    """The form in which APFS compares names by default: composed accents, no upper case."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def numbered_names(stem: str, suffix: str) -> Iterator[str]:
    """Yields `stem.suffix`, `stem-2.suffix`, `stem-3.suffix`, … without end."""
    return (numbered(stem, suffix, number) for number in itertools.count(1))


def numbered(stem: str, suffix: str, number: int) -> str:
    """The name with this number; the stem is cut if it is too long for the file system."""
    tail = suffix if number == 1 else f"-{number}{suffix}"
    room = MAX_NAME_BYTES - len(tail.encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + tail


def replace_file(path: Path, data: bytes) -> None:
    """Replaces a file, and keeps its mode. Readers see either the old content or the new.

    After a power cut the file may have either content, or be empty.
    """
    with _replacing(path) as file:
        file.write(data)


def write_atomically(path: Path, data: bytes) -> None:
    """Like `replace_file`, and on disk when it returns."""
    with _replacing(path) as file:
        file.write(data)
        file.flush()
        _flush(file.fileno())
    sync(path.parent)


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A temporary file that replaces `path` at the end; it is removed after a failure."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            keep_mode(path, file.fileno())
            yield file
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def keep_mode(path: Path, descriptor: int) -> None:
    """Gives a new file the mode of the file at `path`, if there is one.

    If the modes are equal, nothing is changed, because not every volume supports modes.
    """
    with contextlib.suppress(FileNotFoundError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode != stat.S_IMODE(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, mode)


def read_regular(path: Path, most: int = 16 * MIB) -> bytes:
    """Reads a file of at most `most` bytes. Raises OSError for a larger one, a pipe or a device.

    Opening a pipe could wait for its writer, and a device may never end.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", str(path))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(most + 1)
    finally:
        os.close(descriptor)
    if len(data) > most:
        raise OSError(errno.EFBIG, "Larger than such a file can be", str(path))
    return data


def sync(path: Path) -> None:
    """Flushes a file's content, or a folder's list of names, to the disk."""
    with _opened(path) as descriptor:
        _flush(descriptor)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _flush(descriptor: int) -> None:
    """On macOS, fsync(2) leaves data in the drive's cache; F_FULLFSYNC does not.

    Network file systems support neither for folders, and offer nothing else.
    """
    try:
        if sys.platform == "darwin":
            try:
                fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            except OSError as error:
                if error.errno not in _NO_FLUSH:
                    raise
                os.fsync(descriptor)
        else:
            os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FLUSH:
            raise
