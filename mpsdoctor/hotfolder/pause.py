"""Why the queue pauses although no prompt is at fault."""

import errno
import sys
from collections.abc import Callable
from typing import Literal

from mpsdoctor.records import Record

Kind = Literal[
    "disk", "folder", "privacy", "model", "gpu", "memory", "battery", "low-power", "heat"
]


class Pause(Record):
    """`title` says what is wrong, `hint` what the user can do. No attempt is counted."""

    kind: Kind
    title: str
    hint: str = ""


class PauseError(Exception):
    """No prompt is at fault: the queue pauses, and no attempt counts."""

    def __init__(self, pause: Pause) -> None:
        super().__init__(pause.title)
        self.pause = pause


_CONTINUES = "The queue then continues by itself."


def pause_for(error: OSError, executable: str = sys.executable) -> Pause | None:
    """Why the queue pauses; None if waiting does not help.

    `executable` is the program that macOS grants permissions to: the one that launchd starts.
    """
    explain = _EXPLAINED.get(error.errno or 0)
    return explain(str(error.filename or "the hot folder"), executable) if explain else None


def _full(place: str, _executable: str) -> Pause:
    return Pause(
        kind="disk",
        title="The disk with the hot folder is full",
        hint=f"Free some space on it, or empty the Trash. {_CONTINUES} ({place})",
    )


def _read_only(place: str, _executable: str) -> Pause:
    return Pause(
        kind="disk",
        title="The disk with the hot folder is read-only",
        hint=f"Connect it with write access. {_CONTINUES} ({place})",
    )


def _faulty(place: str, _executable: str) -> Pause:
    return Pause(
        kind="disk",
        title=f"The disk reports an error at {place}",
        hint=f"Check the disk with Disk Utility (First Aid), and its cable. {_CONTINUES}",
    )


def _gone(place: str, _executable: str) -> Pause:
    return Pause(
        kind="folder",
        title=f"{place} cannot be reached",
        hint=f"Reconnect its disk, or give the folder its old name. {_CONTINUES}",
    )


def _elsewhere(place: str, _executable: str) -> Pause:
    return Pause(
        kind="folder",
        title=f"{place} is on another disk than the rest of the hot folder",
        hint=f"Replace links in the hot folder with real folders. {_CONTINUES}",
    )


def _in_cloud(place: str, _executable: str) -> Pause:
    return Pause(
        kind="folder",
        title=f"{place} is only in the cloud, not on this Mac",
        hint="In Finder, choose Download Now for it. Better, keep the hot folder out of iCloud "
        f"Drive, Dropbox and the like. {_CONTINUES}",
    )


def _refused(place: str, executable: str) -> Pause:
    return Pause(
        kind="privacy",
        title=f"The system does not let mpsdoctor use {place}",
        hint="In System Settings, Privacy & Security, Full Disk Access, add this program:\n"
        f"{executable}\nOr use a hot folder outside Desktop, Documents, Downloads, iCloud Drive "
        f"and external disks, such as ~/mpsdoctor. {_CONTINUES}",
    )


def _no_memory(_place: str, _executable: str) -> Pause:
    return Pause(
        kind="memory",
        title="The system is out of memory, open files or processes",
        hint=f"Quit other programs. {_CONTINUES}",
    )


_Explain = Callable[[str, str], Pause]
_ERRNOS: dict[_Explain, tuple[str, ...]] = {
    _full: ("ENOSPC", "EDQUOT"),
    _read_only: ("EROFS",),
    _faulty: ("EIO", "EDEVERR", "EBADMSG"),
    _gone: (
        *("ENOENT", "ENOTDIR", "ENXIO", "ENODEV", "ESTALE", "ENOTCONN", "ETIMEDOUT"),
        *("EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "EPWROFF"),
    ),
    _elsewhere: ("EXDEV",),
    _in_cloud: ("EDEADLK",),  # a program that launchd started reads a dataless file
    _refused: ("EPERM", "EACCES"),
    _no_memory: ("ENOMEM", "EMFILE", "ENFILE", "ENOLCK", "EAGAIN"),
}
_EXPLAINED = {
    getattr(errno, name): explain
    for explain, names in _ERRNOS.items()
    for name in names
    if hasattr(errno, name)
}
