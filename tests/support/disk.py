"""Every operation of this process on a hot folder's disk, made visible to an observer.

What a process is killed at, refused, or loses with the power, all starts here. Nothing is flushed
for real, for speed: only a power cut could tell.
"""

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from unittest import mock

from mpsdoctor import files

_OF_PATH: Final = (
    *("mkdir", "replace", "rename", "unlink", "rmdir", "touch"),
    *("stat", "lstat", "readlink"),
)
_OF_OS: Final = ("open", "link", "listdir", "scandir")
READING: Final = frozenset({"stat", "lstat", "readlink", "listdir", "scandir", "iterdir", "read"})
"""Names of operations that change nothing; `open` for reading is one more."""


@dataclass(frozen=True)
class Operation:
    """One operation; `path` is where it happens, `target` where a rename or link leads.

    `data` is what is written. A flush has the inode of what is flushed in place of a path.
    """

    name: str
    path: str = ""
    target: str = ""
    data: bytes = b""
    inode: int = 0
    writing: bool = False

    def __str__(self) -> str:
        place = f"{self.path} -> {self.target}" if self.target else self.path
        return f"{self.name} {place or self.inode}"


class Observer(Protocol):
    """Hears of each operation; `before` may raise in its place, and may write `data` in part."""

    def before(self, operation: Operation, /) -> None: ...
    def after(self, operation: Operation, /) -> None: ...


class _Disk:
    """Wraps the calls of the code under test; their own calls are not operations."""

    def __init__(self, root: Path, observer: Observer) -> None:
        self._root = os.fsencode(root)
        self._observer = observer
        self._inside = False

    def concerns(self, path: object) -> bool:
        """Whether it lies in the hot folder."""
        if not isinstance(path, str | bytes | os.PathLike):
            return False
        return os.fsencode(path).startswith(self._root)

    @contextlib.contextmanager
    def operation(self, operation: Operation) -> Iterator[None]:
        """What happens in the block is this one operation."""
        if self._inside:
            yield
            return
        self._inside = True
        try:
            self._observer.before(operation)
            yield
            self._observer.after(operation)
        finally:
            self._inside = False

    def watched(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, whose first argument is a path, and perhaps the second one too."""

        def watching(path: Any, *rest: Any, **options: Any) -> Any:
            if not self.concerns(path):
                return call(path, *rest, **options)
            target = os.fsdecode(rest[0]) if rest and self.concerns(rest[0]) else ""
            with self.operation(Operation(name, os.fsdecode(path), target)):
                return call(path, *rest, **options)

        return watching

    def iterdir(self, path: Path) -> Iterator[Path]:
        """Lists at once, not bit by bit."""
        with self.operation(Operation("iterdir", str(path))):
            return iter([path / name for name in os.listdir(path)])  # noqa: PTH208

    def open_path(self, path: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
        """A binary file whose reads and writes are operations; any other as it is."""
        if "b" not in mode or not self.concerns(path):
            return io.open(path, mode, *rest, **options)  # noqa: UP020 (not patched)
        with self.operation(Operation("open", str(path), writing=mode != "rb")):
            raw = _File(self, str(path), mode)
        return io.BufferedReader(raw) if mode == "rb" else io.BufferedWriter(raw)

    def flush(self, descriptor: int) -> None:
        """In place of fsync(2)."""
        with self.operation(Operation("flush", inode=os.fstat(descriptor).st_ino)):
            pass


class _File(io.FileIO):
    def __init__(self, disk: _Disk, path: str, mode: str) -> None:
        super().__init__(path, mode)
        self._disk = disk

    def write(self, data: Any) -> int:
        content = bytes(data)
        with self._disk.operation(Operation("write", str(self.name), data=content)):
            return super().write(content)

    def readinto(self, buffer: Any) -> int:
        with self._disk.operation(Operation("read", str(self.name))):
            return super().readinto(buffer)

    def readall(self) -> bytes:
        with self._disk.operation(Operation("read", str(self.name))):
            return super().readall()


@contextlib.contextmanager
def watched(root: Path, observer: Observer, *, by_link: bool = False) -> Iterator[None]:
    """Tells `observer` of every operation below `root` in this process, in the main thread.

    `by_link` is a disk without a rename that does not overwrite.
    """
    disk = _Disk(root, observer)
    rename = None if by_link or not files._rename else disk.watched("rename", files._rename)
    with contextlib.ExitStack() as stack:
        for place, names in ((Path, _OF_PATH), (os, _OF_OS)):
            for name in names:
                call = disk.watched(name, getattr(place, name))
                stack.enter_context(mock.patch.object(place, name, call))
        for place, name, call in (
            (Path, "iterdir", lambda path: disk.iterdir(path)),
            (Path, "open", lambda path, *rest, **options: disk.open_path(path, *rest, **options)),
            (files, "_flush", disk.flush),
        ):
            stack.enter_context(mock.patch.object(place, name, call))
        stack.enter_context(mock.patch.object(files, "_rename", rename))
        yield
