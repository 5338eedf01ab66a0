"""How far a device's results may differ from the CPU's before they count as wrong."""

import re
from typing import Final

from msgspec.structs import replace

from mpsdoctor.facts.records import (
    Canary,
    CanaryStatus,
    Facts,
    Picture,
    PictureStatus,
    Precision,
)

# Relative to the largest number in the result. The faults that the canaries look for exceed 0.1;
# torch's own kernels stay below 0.001 in float16, 0.01 in bfloat16 and 0.00001 in float32.
_CANARY: Final[dict[Precision, float]] = {
    "exact": 0.0,
    "float32": 1e-4,
    "float16": 2e-2,
    "bfloat16": 5e-2,
}

# Since the M5, the GPU may multiply float32 matrices in a format like TF32, with 10 bits of
# mantissa. The error is 0.0008 of the largest number (mlx #3534, #4411).
_FIRST_REDUCED = 5
_REDUCED_FLOAT32 = 1e-2

PICTURE: Final = 1.0
"""The largest acceptable `rms` of a picture, in levels of 255.

Rounding gives 0.04 in float16, 0.3 in bfloat16, and 0.5 if sums are in float16 too. The mildest of
the faults that were tried gives 1.8 (docs/measurements.md).
"""


def tolerance(precision: Precision, chip: str | None) -> float:
    """The largest acceptable error of a canary, on a chip as `sysctl` names it."""
    generation = re.match(r"Apple M(\d+)", chip or "")
    is_reduced = generation is not None and int(generation[1]) >= _FIRST_REDUCED
    if precision == "float32" and is_reduced:
        return _REDUCED_FLOAT32
    return _CANARY[precision]


def judged_canaries(facts: Facts) -> tuple[Canary, ...] | None:
    """The canaries; those that were compared become OK or WRONG and get a tolerance.

    The verdicts of older files stay. None if no canary was run.
    """
    if facts.canaries is None:
        return None
    return tuple(_judged(canary, facts.hardware.chip) for canary in facts.canaries)


def judged_picture(facts: Facts) -> Picture | None:
    """The picture, judged in the same way."""
    picture = facts.picture
    if picture is None or picture.status is not PictureStatus.COMPARED:
        return picture
    near = not picture.not_finite and picture.rms is not None and picture.rms <= PICTURE
    return replace(
        picture, status=PictureStatus.OK if near else PictureStatus.WRONG, tolerance=PICTURE
    )


def _judged(canary: Canary, chip: str | None) -> Canary:
    if canary.status is not CanaryStatus.COMPARED:
        return canary
    allowed = tolerance(canary.precision or "exact", chip)
    near = isinstance(canary.error, int | float) and canary.error <= allowed
    return replace(
        canary, status=CanaryStatus.OK if near else CanaryStatus.WRONG, tolerance=allowed
    )
