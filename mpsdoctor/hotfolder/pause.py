"""Why the queue waits, without any prompt being to blame."""

import errno
import sys
from collections.abc import Callable
from typing import Literal

from mpsdoctor.records import Record

Kind = Literal[
    "disk", "folder", "privacy", "model", "gpu", "memory", "battery", "low-power", "heat"
]


class Pause(Record):
    """`title` says what is the matter, `hint` what the user can do. No attempt is counted."""

    kind: Kind
    title: str
    hint: str = ""


class PauseError(Exception):
    """Something that is no prompt's fault: the queue pauses, and no attempt counts."""

    def __init__(self, pause: Pause) -> None:
        super().__init__(pause.title)
        self.pause = pause


_GOES_ON = "The queue goes on by itself then."


def pause_for(error: OSError, executable: str = sys.executable) -> Pause | None:
    """Why the queue pauses; None for an error that waiting does not mend.

    `executable` is what macOS gives or refuses rights to: the program that launchd starts.
    """
    explain = _EXPLAINED.get(error.errno or 0)
    return explain(str(error.filename or "the hot folder"), executable) if explain else None


def _full(place: str, _executable: str) -> Pause:
    return Pause(
        kind="disk",
        title="The disk with the hot folder is full",
        hint=f"Make room on it, or empty the bin. {_GOES_ON} ({place})",
    )


def _read_only(place: str, _executable: str) -> Pause:
    return Pause(
        kind="disk",
        title="The disk with the hot folder cannot be written to",
        hint=f"Connect it so that files on it can be changed. {_GOES_ON} ({place})",
    )


def _faulty(place: str, _executable: str) -> Pause:
    return Pause(
        kind="disk",
        title=f"The disk reports an error at {place}",
        hint=f"Check it with Disk Utility (First Aid), and its cable. {_GOES_ON}",
    )


def _gone(place: str, _executable: str) -> Pause:
    return Pause(
        kind="folder",
        title=f"{place} cannot be reached",
        hint=f"Connect its disk again, or give the folder its old name. {_GOES_ON}",
    )


def _elsewhere(place: str, _executable: str) -> Pause:
    return Pause(
        kind="folder",
        title=f"{place} lies on another disk than the rest of the hot folder",
        hint=f"Replace links in the hot folder by real folders. {_GOES_ON}",
    )


def _in_cloud(place: str, _executable: str) -> Pause:
    return Pause(
        kind="folder",
        title=f"{place} lies in the cloud and is not on this Mac",
        hint="In Finder, choose Download Now for it; better, keep the hot folder out of iCloud "
        f"Drive, Dropbox and the like. {_GOES_ON}",
    )


def _refused(place: str, executable: str) -> Pause:
    return Pause(
        kind="privacy",
        title=f"The system does not let mpsdoctor use {place}",
        hint="In System Settings, Privacy & Security, Full Disk Access, add this program:\n"
        f"{executable}\nOr use a hot folder outside Desktop, Documents, Downloads, iCloud Drive "
        f"and external disks, such as ~/mpsdoctor. {_GOES_ON}",
    )


def _no_memory(_place: str, _executable: str) -> Pause:
    return Pause(
        kind="memory",
        title="The system has no memory, open files or processes left to give",
        hint=f"Quit other programs. {_GOES_ON}",
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
    _in_cloud: ("EDEADLK",),  # what launchd's programs get who read a dataless file
    _refused: ("EPERM", "EACCES"),
    _no_memory: ("ENOMEM", "EMFILE", "ENFILE", "ENOLCK", "EAGAIN"),
}
_EXPLAINED = {
    getattr(errno, name): explain
    for explain, names in _ERRNOS.items()
    for name in names
    if hasattr(errno, name)
}
