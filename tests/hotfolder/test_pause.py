"""The system's complaints in the user's words."""

import errno
import os

import pytest

from mpsdoctor.hotfolder.pause import pause_for


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (errno.ENOSPC, "disk", "full"),
        (errno.EDQUOT, "disk", "full"),
        (errno.EROFS, "disk", "cannot be written"),
        (errno.EIO, "disk", "/hot/x"),
        (errno.EPERM, "privacy", "/opt/python3"),
        (errno.EACCES, "privacy", "Full Disk Access"),
        (errno.EDEADLK, "folder", "cloud"),
        (errno.ENOENT, "folder", "/hot/x"),
        (errno.ESTALE, "folder", "Connect"),
        (errno.EXDEV, "folder", "another disk"),
        (errno.EMFILE, "memory", "Quit"),
        (errno.EAGAIN, "memory", "processes"),
    ],
)
def test_what_waiting_may_mend_pauses_the_queue(code: int, kind: str, words: str) -> None:
    """Each says what is the matter, where, and what to do."""
    pause = pause_for(OSError(code, os.strerror(code), "/hot/x"), "/opt/python3")
    assert pause
    assert pause.kind == kind
    assert words in f"{pause.title}\n{pause.hint}"


@pytest.mark.parametrize("code", [None, errno.EISDIR, errno.ENAMETOOLONG, errno.EBUSY])
def test_anything_else_is_no_reason_to_wait(code: int | None) -> None:
    """Faults of ours, or of one file, are for others to tell."""
    assert pause_for(OSError(code, "something")) is None
