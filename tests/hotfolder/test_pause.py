"""Why the queue pauses after an error of the system."""

import errno
import os
import sys

import pytest

from mpsdoctor.hotfolder.pause import Kind, Pause, PauseError, pause_for

PAUSES: dict[tuple[str, ...], tuple[Kind, str, str]] = {
    ("ENOSPC", "EDQUOT"): (
        "disk",
        "The disk with the hot folder is full",
        "Free some space on it, or empty the Trash. The queue then continues by itself. (/hot/x)",
    ),
    ("EROFS",): (
        "disk",
        "The disk with the hot folder is read-only",
        "Connect it with write access. The queue then continues by itself. (/hot/x)",
    ),
    ("EIO", "EDEVERR", "EBADMSG"): (
        "disk",
        "The disk reports an error at /hot/x",
        "Check the disk with Disk Utility (First Aid), and its cable. The queue then continues by "
        "itself.",
    ),
    (
        *("ENOENT", "ENOTDIR", "ENXIO", "ENODEV", "ESTALE", "ENOTCONN", "ETIMEDOUT"),
        *("EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "EPWROFF"),
    ): (
        "folder",
        "/hot/x cannot be reached",
        "Reconnect its disk, or give the folder its old name. The queue then continues by itself.",
    ),
    ("EXDEV",): (
        "folder",
        "/hot/x is on another disk than the rest of the hot folder",
        "Replace links in the hot folder with real folders. The queue then continues by itself.",
    ),
    ("EDEADLK",): (
        "folder",
        "/hot/x is only in the cloud, not on this Mac",
        "In Finder, choose Download Now for it. Better, keep the hot folder out of iCloud Drive, "
        "Dropbox and the like. The queue then continues by itself.",
    ),
    ("EPERM", "EACCES"): (
        "privacy",
        "The system does not let mpsdoctor use /hot/x",
        "In System Settings, Privacy & Security, Full Disk Access, add this program:\n"
        "/opt/python3\n"
        "Or use a hot folder outside Desktop, Documents, Downloads, iCloud Drive and external "
        "disks, such as ~/mpsdoctor. The queue then continues by itself.",
    ),
    ("ENOMEM", "EMFILE", "ENFILE", "ENOLCK", "EAGAIN"): (
        "memory",
        "The system is out of memory, open files or processes",
        "Quit other programs. The queue then continues by itself.",
    ),
}
OF_MACOS = ("EDEVERR", "EPWROFF")


@pytest.mark.parametrize(
    ("name", "due"), [(name, due) for names, due in PAUSES.items() for name in names]
)
def test_an_error_that_may_pass_pauses_the_queue(name: str, due: tuple[Kind, str, str]) -> None:
    """The pause says what is wrong, where, and what to do."""
    code = getattr(errno, name, None)
    if code is None:
        assert name in OF_MACOS
        pytest.skip(f"{sys.platform} has no {name}")
    kind, title, hint = due

    pause = pause_for(OSError(code, os.strerror(code), "/hot/x"), "/opt/python3")

    assert pause == Pause(kind=kind, title=title, hint=hint)


@pytest.mark.parametrize("code", [None, errno.EISDIR, errno.ENAMETOOLONG, errno.EBUSY])
def test_any_other_error_does_not(code: int | None) -> None:
    """Waiting does not help against our own faults, or against those of one file."""
    assert pause_for(OSError(code, "something")) is None


def test_without_a_place_it_is_the_hot_folder() -> None:
    """The program to allow is then this Python."""
    pause = pause_for(PermissionError(errno.EPERM, "Operation not permitted"))
    assert pause
    assert pause.title == "The system does not let mpsdoctor use the hot folder"
    assert f"\n{sys.executable}\n" in pause.hint
    assert str(PauseError(pause)) == pause.title
