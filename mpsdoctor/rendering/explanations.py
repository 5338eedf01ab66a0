"""Errors of PyTorch and the file system in the user's words; no torch."""

import re
import traceback
from dataclasses import dataclass
from typing import Literal

from mpsdoctor.errors import MpsDoctorError

Cause = Literal["job", "disk", "gpu", "memory"]

_LAST_FRAMES = 4

_TOO_LARGE = re.compile(
    # A1111 #9133; diffusers #5894; PyTorch's allocator on CPU
    r"MPS backend out of memory|Invalid buffer size|not enough memory|can't allocate memory",
    re.IGNORECASE,
)
_NO_GPU = re.compile(
    r"MPS (backend|device) is not (available|supported)|mps is not available"
    r"|PyTorch is not linked with support for mps|Failed to create (a )?Metal",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Explanation:
    """What to tell, and what has to change before another attempt can help."""

    error: MpsDoctorError
    cause: Cause = "job"


def explain(error: Exception, title: str) -> Explanation:
    """Why there is no picture; `title` is for what nobody foresaw, which is told with its place."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, MpsDoctorError):
        return Explanation(error)
    if (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or _TOO_LARGE.search(text)
    ):
        return Explanation(_out_of_memory(text), "memory")
    if _NO_GPU.search(text):
        hint = "Run `mpsdoctor check`: it says why the GPU cannot be used."
        return Explanation(MpsDoctorError("The GPU is gone", detail=text, hint=hint), "gpu")
    last_frames = "".join(traceback.format_exception(error)[-_LAST_FRAMES:]).strip()
    hint = "`mpsdoctor check` looks for known faults."
    return Explanation(MpsDoctorError(title, detail=last_frames, hint=hint))


def explain_saving(error: Exception, path: str) -> Explanation:
    """Why the picture is not in the file `path`."""
    if not isinstance(error, OSError):
        return explain(error, "This picture could not be saved")
    return Explanation(
        MpsDoctorError(
            "The picture could not be written",
            detail=f"{path}: {error.strerror or error}.",
            hint="Check that the hot folder's disk is connected, has space and may be written to.",
        ),
        "disk",
    )


def _out_of_memory(text: str) -> MpsDoctorError:
    return MpsDoctorError(
        "There is not enough memory for this picture",
        detail=text,
        hint="Make it smaller, close other programs, or let `mpsdoctor plan MODEL` say what fits: "
        '`attention = "bounded"` and `vae_tiling = true` in the profile need much less memory.',
    )
