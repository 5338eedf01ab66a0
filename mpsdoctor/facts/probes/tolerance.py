"""How far a device may be from the CPU before its arithmetic counts as wrong."""

import re

# Of the largest number in the result. The faults that the canaries look for are beyond 0.1; torch's
# own kernels stay below 0.001 in float16, 0.01 in bfloat16 and 0.00001 in float32.
_TOLERANCES = {"exact": 0.0, "float32": 1e-4, "float16": 2e-2, "bfloat16": 5e-2}

# From the M5 on, the GPU may multiply float32 matrices in something like TF32, with 10 bits of
# mantissa: 0.0008 of the largest number (mlx #3534, #4411).
_FIRST_REDUCED = 5
_REDUCED_FLOAT32 = 1e-2


def tolerance(precision: str, chip: str | None) -> float:
    """The largest acceptable error of a canary, on a chip as `sysctl` names it.

    Raises KeyError for a precision that no canary has.
    """
    generation = re.match(r"Apple M(\d+)", chip or "")
    is_reduced = generation is not None and int(generation[1]) >= _FIRST_REDUCED
    if precision == "float32" and is_reduced:
        return _REDUCED_FLOAT32
    return _TOLERANCES[precision]
