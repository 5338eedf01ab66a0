"""Reads a dropped file: its requests, or the reason why it has none."""

import errno
import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.files import folded
from mpsdoctor.hotfolder.spool.names import ERROR_SUFFIX, is_prompt_name
from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.document import MAX_BYTES, read_prompt, too_large
from mpsdoctor.prompts.grammar import read_requests
from mpsdoctor.prompts.request import Request

_DROP_A_COPY = "Drop a plain text file whose name ends in .txt instead."


@dataclass(frozen=True)
class Dropped:
    """The requests of a prompt file, and the `sha256` of its bytes in hexadecimal."""

    requests: tuple[Request, ...]
    sha256: str


def read_dropped(path: Path, name: str) -> Dropped:
    """The requests in the claimed file at `path`, which was dropped as `name`.

    Raises MpsDoctorError if it is not a readable prompt file, and OSError if the system is at
    fault, not the file. Symlinks are not followed, and only a regular file is opened.
    """
    status = path.lstat()
    mode, size = status.st_mode, status.st_size
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
            hint="Drop the .txt files inside it, one by one or together.",
        )
    if not stat.S_ISREG(mode):
        raise MpsDoctorError("This is not a regular file", hint=_DROP_A_COPY)
    if not is_prompt_name(name):
        raise MpsDoctorError(
            "This is not a prompt file",
            detail="Only files whose names end in .txt are rendered.",
            hint=_DROP_A_COPY,
        )
    if folded(name).endswith(ERROR_SUFFIX):
        raise MpsDoctorError(
            "This is an error report, not a prompt",
            hint="Drop the .txt file beside it, the one without `.error`.",
        )
    if size > MAX_BYTES:
        raise too_large(size)
    data = _content(path)
    return Dropped(read_requests(read_prompt(data)), hashlib.sha256(data).hexdigest())


def _content(path: Path) -> bytes:
    """At most one byte more than a prompt file may have.

    EACCES means that the file's own permissions forbid reading; EPERM is macOS' privacy protection.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.EACCES:
            raise _unreadable(error) from error
        raise
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MAX_BYTES + 1)


def _unreadable(error: OSError) -> MpsDoctorError:
    return MpsDoctorError(
        "This file cannot be read",
        detail=f"The system says: {error.strerror}.",
        hint="In Finder, choose Get Info and give yourself permission to read it. Or save the text "
        "as a new file. Then drop it again.",
    )


def profile_for(profiles: Sequence[Profile], name: str | None) -> Profile:
    """The profile for the model `name`; each profile is for one model. None means the first.

    The name may leave out the owner or the folder, as the name in infotext does.

    Raises MpsDoctorError if a short name fits several models, or if no profile has the model:
    a prompt file starts no download and names no path.
    """
    if name is None:
        return profiles[0]
    whole = [one for one in profiles if folded(name) == folded(one.model)]
    short = [one for one in profiles if folded(name) == folded(PurePath(one.model).name)]
    found = whole or short
    if len({one.model for one in found}) > 1:
        raise MpsDoctorError(
            f"{name} fits several models",
            detail=f"The profile has {', '.join(one.model for one in found)}.",
            hint="Write ORGANIZATION/NAME in the prompt file, or rename one of the folders.",
        )
    if found:
        return found[0]
    raise MpsDoctorError(
        f"The profile does not list the model {name}",
        detail=f"It lists {', '.join(profile.model for profile in profiles)}.",
        hint="Leave `Model` out of the prompt file, or add the model to `models` in the profile. "
        "`mpsdoctor profile path` shows where the profile is.",
    )
