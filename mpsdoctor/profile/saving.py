"""Writing the profile file whole or not at all."""

import os
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.files import write_atomically


def save(path: Path, text: str) -> None:
    """Replaces `path` atomically, or what it links to; the old file stays where writing fails.

    Raises MpsDoctorError where the folder cannot be written to.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, text.encode())
    except OSError as error:
        raise MpsDoctorError(
            "The profile cannot be written",
            detail=str(error),
            hint=f"Make {target.parent} writable, or name another place with --profile FILE.",
        ) from error
