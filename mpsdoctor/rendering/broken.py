"""Errors for broken pictures: overflowed numbers, or a single colour."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpsdoctor.errors import MpsDoctorError


class BrokenPictureError(MpsDoctorError):
    """The device or its number format broke the picture, so another format may help."""


def not_finite() -> BrokenPictureError:
    """Diffusers itself would return a black or white picture, with at most a numpy warning.

    Sources: `VaeImageProcessor.numpy_to_pil` for NaN, `denormalize` for infinity.
    """
    return BrokenPictureError(
        "The model computed NaN instead of a picture",
        detail="Numbers overflowed, and the image would be black.",
        hint='Set dtype = "float32" in the profile. `mpsdoctor check` looks for known faults.',
    )


def require_colours(levels: NDArray[np.uint8]) -> None:
    """`levels` has shape (height, width, 3). Raises BrokenPictureError if all pixels are equal."""
    if (levels == levels[0, 0]).all():
        raise BrokenPictureError(
            "The picture is one flat colour",
            detail=f"Every pixel is {tuple(int(level) for level in levels[0, 0])}.",
            hint="A device fault causes this. Try another seed or wording, then `mpsdoctor check`.",
        )


def blacked_out() -> MpsDoctorError:
    """The model itself does this, so another number format would not help."""
    return MpsDoctorError(
        "The model's safety checker blacked this picture out",
        detail="It classified the picture as not safe for work. This machine is not at fault, so "
        "the picture is not rendered again.",
        hint="Try another seed or wording.",
    )


def same_on_all_fallbacks(first: BrokenPictureError, tried: list[str], last: Any) -> MpsDoctorError:  # noqa: ANN401
    """`tried` names what did not help; `last` says how the last attempt ended."""
    return MpsDoctorError(
        first.title,
        detail=f"{first.detail} Tried without success: {', then '.join(tried)}. {last}".strip(),
        hint=first.hint,
    )
