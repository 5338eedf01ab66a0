"""Errors of PyTorch and the file system in the user's words; no torch."""

import traceback
from dataclasses import dataclass
from typing import Literal

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.knowledge import messages

Cause = Literal["job", "disk", "gpu", "memory"]

_LAST_FRAMES = 4


@dataclass(frozen=True)
class Explanation:
    """What to tell the user, and what must change before another attempt can help."""

    error: MpsDoctorError
    cause: Cause = "job"


def explain(error: Exception, title: str) -> Explanation:
    """Why there is no picture; `title` is for unexpected errors, reported with their traceback."""
    if isinstance(error, MpsDoctorError):
        return Explanation(error)
    if known := messages.of_error(error):
        text = f"{type(error).__name__}: {error}"
        return Explanation(MpsDoctorError(known.title, detail=text, hint=known.hint), known.cause)
    last_frames = "".join(traceback.format_exception(error)[-_LAST_FRAMES:]).strip()
    hint = messages.hint("known_faults")
    return Explanation(MpsDoctorError(title, detail=last_frames, hint=hint))


def explain_saving(error: Exception, path: str) -> Explanation:
    """Why the picture could not be saved to `path`."""
    if not isinstance(error, OSError):
        return explain(error, "This picture could not be saved")
    return Explanation(
        MpsDoctorError(
            "The picture could not be written",
            detail=f"{path}: {error.strerror or error}.",
            hint="Check that the hot folder's disk is connected, has free space and is writable.",
        ),
        "disk",
    )
