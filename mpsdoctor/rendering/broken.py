"""Pictures that are none: numbers that overflowed, and a single colour."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpsdoctor.errors import MpsDoctorError


class BrokenPictureError(MpsDoctorError):
    """The device or its number format did this, so that another format may help."""


def not_finite() -> BrokenPictureError:
    """Diffusers itself returns a black or white picture, with at most a numpy warning.

    Sources: `VaeImageProcessor.numpy_to_pil` for NaN, `denormalize` for infinity.
    """
    return BrokenPictureError(
        "The model computed NaN instead of a picture",
        detail="Numbers overflowed on the way; as an image this would be black.",
        hint='Set dtype = "float32" in the profile. `mpsdoctor check` looks for known faults.',
    )


def require_colours(levels: NDArray[np.uint8]) -> None:
    """`levels` has shape (height, width, 3). Raises BrokenPictureError for a single colour."""
    if (levels == levels[0, 0]).all():
        raise BrokenPictureError(
            "The picture is one flat colour",
            detail=f"Every pixel is {tuple(int(level) for level in levels[0, 0])}.",
            hint="A fault of the device does this. Try another seed or wording, then "
            "`mpsdoctor check`.",
        )


def blacked_out() -> MpsDoctorError:
    """The model's own doing, which no number format changes."""
    return MpsDoctorError(
        "The model's safety checker blacked this picture out",
        detail="It took the picture for one that is not safe for work. That is no fault of this "
        "machine, and not tried again.",
        hint="Try another seed or wording.",
    )


def same_on_all_fallbacks(first: BrokenPictureError, tried: list[str], last: Any) -> MpsDoctorError:  # noqa: ANN401
    """`tried` names what did not help; `last` is what came of the last of it."""
    return MpsDoctorError(
        first.title,
        detail=f"{first.detail} Tried in vain: {', then '.join(tried)}. {last}".strip(),
        hint=first.hint,
    )
