"""Estimates of the remaining time, from the time so far. Pure."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median


def picture_remaining(steps: int, done: Sequence[tuple[int, float]]) -> float | None:
    """Seconds until the last of `steps` denoising steps; None if unknown.

    `done` has the steps of this picture so far, in order, with the monotonic time of each. The
    duration of the first step does not count: Metal compiles its shaders in it.
    """
    typical = _typical(
        (later - earlier) / (step - before)
        for (before, earlier), (step, later) in pairwise(done)
        if step > before
    )
    return None if typical is None else max(steps - done[-1][0], 0) * typical


def queue_remaining(
    current: float | None, pictures: int, seconds: Sequence[float], *, rendering: bool
) -> float | None:
    """Seconds until the present picture and `pictures` more are rendered; None if unknown.

    `current` is the remaining time of the present picture, if it is known. `rendering` says
    whether there is one. `seconds` has the durations of the last pictures.
    """
    typical = _typical(seconds)
    if typical is None:
        return current if not pictures else None
    first = (typical if current is None else current) if rendering else 0.0
    return first + max(pictures, 0) * typical


def _typical(durations: Iterable[float]) -> float | None:
    known = [duration for duration in durations if math.isfinite(duration) and duration >= 0]
    return median(known) if known else None
