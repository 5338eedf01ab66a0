"""What was dropped: a prompt, or the reason why it is none."""

import os
import stat
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.names import is_prompt_name
from mpsdoctor.prompts.document import MAX_BYTES, read_prompt, too_large

_DROP_A_COPY = "Drop a plain text file whose name ends in .txt instead."


def read_dropped(path: Path, name: str) -> str:
    """The prompt in the claimed file at `path`, which was dropped as `name`.

    Raises MpsDoctorError for anything that is not a readable prompt file. Symlinks are not
    followed, and nothing but a regular file is opened.
    """
    mode, size = _mode_and_size(path)
    if stat.S_ISLNK(mode):
        raise MpsDoctorError(
            "This is a link, not a file",
            detail=f"It points to {path.readlink()}. Links are not followed.",
            hint="Drop a copy of the file itself.",
        )
    if stat.S_ISDIR(mode):
        raise MpsDoctorError(
            "This is a folder",
            detail="Only single prompt files are rendered.",
            hint="Drop the .txt files that lie in it, one by one or together.",
        )
    if not stat.S_ISREG(mode):
        raise MpsDoctorError("This is not a file that holds text", hint=_DROP_A_COPY)
    if not is_prompt_name(name):
        raise MpsDoctorError(
            "This is not a prompt file",
            detail="Only files whose name ends in .txt are rendered.",
            hint=_DROP_A_COPY,
        )
    if size > MAX_BYTES:
        raise too_large(size)
    return read_prompt(_content(path))


def _mode_and_size(path: Path) -> tuple[int, int]:
    try:
        status = path.lstat()
    except OSError as error:
        raise _unreadable(error) from error
    return status.st_mode, status.st_size


def _content(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> MpsDoctorError:
    return MpsDoctorError(
        "This file cannot be read",
        detail=f"The system says: {error.strerror}.",
        hint="In Finder, choose Get Info and give yourself the right to read it, or save the "
        "text as a new file; then drop it again.",
    )
