"""What was dropped: what it asks for, or the reason why it asks for nothing."""

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
    """What a prompt file asks for; `sha256` of its bytes, in hexadecimal."""

    requests: tuple[Request, ...]
    sha256: str


def read_dropped(path: Path, name: str) -> Dropped:
    """What the claimed file at `path` asks for, which was dropped as `name`.

    Raises MpsDoctorError for anything that is not a readable prompt file, and OSError where the
    system is at fault and not the file. Symlinks are not followed, and nothing but a regular
    file is opened.
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
    if folded(name).endswith(ERROR_SUFFIX):
        raise MpsDoctorError(
            "This says why a prompt failed, and is no prompt",
            hint="Drop the .txt file that lies beside it, without `.error`.",
        )
    if size > MAX_BYTES:
        raise too_large(size)
    data = _content(path)
    return Dropped(read_requests(read_prompt(data)), hashlib.sha256(data).hexdigest())


def _content(path: Path) -> bytes:
    """The first bytes, enough to see that there are too many.

    Rights that the file itself lacks are EACCES; EPERM is a privacy refusal of macOS.
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
        hint="In Finder, choose Get Info and give yourself the right to read it, or save the "
        "text as a new file; then drop it again.",
    )


def profile_for(profiles: Sequence[Profile], name: str | None) -> Profile:
    """Of the profiles, each for a model of its own, the one whose model `name` means.

    A model is named whole, or without its owner or folder, so that the name that infotext keeps
    finds its model again. None means the first.

    Raises MpsDoctorError for a short name of several models, and for every other name: a prompt
    file starts no download and names no path.
    """
    if name is None:
        return profiles[0]
    whole = [one for one in profiles if folded(name) == folded(one.model)]
    short = [one for one in profiles if folded(name) == folded(PurePath(one.model).name)]
    found = whole or short
    if len({one.model for one in found}) > 1:
        raise MpsDoctorError(
            f"{name} can be any of several models",
            detail=f"The profile has {', '.join(one.model for one in found)}.",
            hint="Write ORGANISATION/NAME in the prompt file, or rename one of the folders.",
        )
    if found:
        return found[0]
    raise MpsDoctorError(
        f"This profile does not render with the model {name}",
        detail=f"It renders with {', '.join(profile.model for profile in profiles)}.",
        hint="Leave `Model` out of the prompt file, or add the model to `models` in the profile "
        "(its place: `mpsdoctor profile path`).",
    )
