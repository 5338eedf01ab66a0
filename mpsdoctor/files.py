"""Moves that never overwrite, and writes that are whole after a power cut."""

import ctypes
import errno
import fcntl
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

# APFS and ext4 allow 255 bytes of UTF-8 in a name.
MAX_NAME_BYTES: Final = 255

# What a file system answers that does not know a rename without overwriting.
_UNSUPPORTED = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})
_NO_FLUSH = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY})

_Rename = Callable[[bytes, bytes], int]


def _kernel_rename() -> _Rename | None:
    """The system's rename that refuses an existing target; None where libc has none.

    macOS: renamex_np(2) with RENAME_EXCL = 4. Linux: renameat2(2) with RENAME_NOREPLACE = 1.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        if sys.platform == "darwin":
            renamex = libc.renamex_np
            renamex.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint]
            return lambda source, target: int(renamex(source, target, 4))
        renameat2 = libc.renameat2
    except AttributeError:
        return None
    path, at_cwd = ctypes.c_char_p, -100
    renameat2.argtypes = [ctypes.c_int, path, ctypes.c_int, path, ctypes.c_uint]
    return lambda source, target: int(renameat2(at_cwd, source, at_cwd, target, 1))


_rename = _kernel_rename()


def rename_noreplace(source: Path, target: Path) -> None:
    """Renames atomically within one volume; a symlink moves as itself.

    Raises FileExistsError where `target` exists, and OSError as rename(2) does.
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
    """A folder replaces an empty one that was made for it; anything else gets a second name."""
    if source.is_dir() and not source.is_symlink():
        target.mkdir()
        source.rename(target)
    else:
        os.link(source, target, follow_symlinks=False)
        source.unlink()


def move(source: Path, target: Path) -> None:
    """`rename_noreplace` that is on disk when it returns."""
    rename_noreplace(source, target)
    sync(target.parent)
    sync(source.parent)


def move_to_unused(source: Path, folder: Path, stem: str, suffix: str) -> Path:
    """Moves to the first free of `stem.suffix`, `stem-2.suffix`, … and returns where."""
    for name in numbered_names(stem, suffix):
        try:
            move(source, folder / name)
        except FileExistsError:
            continue
        return folder / name
    raise AssertionError("the names never end")


def numbered_names(stem: str, suffix: str) -> Iterator[str]:
    """`stem.suffix`, `stem-2.suffix`, `stem-3.suffix`, … without end."""
    return (numbered(stem, suffix, number) for number in itertools.count(1))


def numbered(stem: str, suffix: str, number: int) -> str:
    """One of these names; the stem is cut where it would be too long for the file system."""
    tail = suffix if number == 1 else f"-{number}{suffix}"
    room = MAX_NAME_BYTES - len(tail.encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + tail


def replace_file(path: Path, data: bytes) -> None:
    """Readers see the old content or the new; after a power cut it may be either, or empty."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def write_atomically(path: Path, data: bytes) -> None:
    """Like `replace_file`, and on disk when it returns."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        _flush(file.fileno())
    temporary.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Brings a file's content, or a folder's list of names, onto the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _flush(descriptor)
    finally:
        os.close(descriptor)


def _flush(descriptor: int) -> None:
    """On macOS fsync(2) leaves data in the drive's cache; F_FULLFSYNC does not.

    Network file systems know neither for folders; there is nothing more to ask of them.
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
