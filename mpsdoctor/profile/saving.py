"""Writing the profile file whole or not at all."""

import os
import tempfile
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError


def save(path: Path, text: str) -> None:
    """Replaces `path` atomically; the old file stays where writing fails.

    Raises MpsDoctorError where the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise MpsDoctorError(
            "The profile cannot be written",
            detail=str(error),
            hint=f"Make {path.parent} writable, or name another place with --profile FILE.",
        ) from error
