"""Writing the profile file whole or not at all."""

from pathlib import Path

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.files import write_atomically


def save(path: Path, text: str) -> None:
    """Replaces `path` atomically; the old file stays where writing fails.

    Raises MpsDoctorError where the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    except OSError as error:
        raise MpsDoctorError(
            "The profile cannot be written",
            detail=str(error),
            hint=f"Make {path.parent} writable, or name another place with --profile FILE.",
        ) from error
