"""Reads the daemon's log and launchd's file: their last lines, and new ones."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from mpsdoctor.service.agent import Agent
from mpsdoctor.units import KIB, MB

LARGE_BYTES: Final = 10 * MB
_PAUSE_S: Final = 0.3
_CHUNK: Final = 64 * KIB


def make_room(agent: Agent) -> None:
    """Makes the folder, and renames launchd's file if it is large; launchd must not be writing.

    launchd only ever appends to it (launchd.plist(5)).
    """
    agent.logs.mkdir(parents=True, exist_ok=True)
    if size(agent.stderr_log) > LARGE_BYTES:
        agent.stderr_log.replace(agent.earlier_stderr_log)


def size(path: Path) -> int:
    """The size in bytes; 0 if there is no file."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def last_output(agent: Agent, count: int) -> list[str]:
    """The end of the newer file: launchd's after a crash, else the daemon's log."""
    return tail(max((agent.log, agent.stderr_log), key=_changed), count)


def tail(path: Path, count: int) -> list[str]:
    """The last `count` lines that are not empty; none if there is no file."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, size(path) - _CHUNK))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return list(deque((line.rstrip() for line in text.splitlines() if line.strip()), count))


def follow(
    path: Path, *, sleep: Callable[[float], None] = time.sleep, pause: float = _PAUSE_S
) -> Iterator[str]:
    """New text in the log from now on, without end.

    A log that was truncated, replaced or recreated is read from its beginning.
    """
    position, identity = _place(path)
    while True:
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                if identity not in (None, (status.st_dev, status.st_ino)):
                    position = 0
                identity = (status.st_dev, status.st_ino)
                if status.st_size < position:
                    position = 0
                added = _read_from(file, position)
        except FileNotFoundError:
            position, identity, added = 0, None, b""
        if added:
            position += len(added)
            yield added.decode("utf-8", "replace")
        else:
            sleep(pause)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _place(path: Path) -> tuple[int, tuple[int, int] | None]:
    try:
        status = path.stat()
    except OSError:
        return 0, None
    return status.st_size, (status.st_dev, status.st_ino)


def _read_from(file: BinaryIO, position: int) -> bytes:
    """Complete lines only, unless a line is very long."""
    file.seek(position)
    text = file.read(_CHUNK)
    end = text.rfind(b"\n") + 1
    return text if end == 0 and len(text) == _CHUNK else text[:end]
