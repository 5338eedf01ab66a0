"""How much longer it takes, from how long it has taken. Pure."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median


def picture_remaining(steps: int, done: Sequence[tuple[int, float]]) -> float | None:
    """Seconds until the last of `steps` denoising steps; None if unknown.

    `done` has steps of this picture, the latest at the end, with when they were done by a monotonic
    clock. The first one's duration does not count: Metal compiles its shaders in it.
    """
    usual = _usual(
        (later - earlier) / (step - before)
        for (before, earlier), (step, later) in pairwise(done)
        if step > before
    )
    return None if usual is None else max(steps - done[-1][0], 0) * usual


def queue_remaining(
    current: float | None, pictures: int, seconds: Sequence[float], *, rendering: bool
) -> float | None:
    """Seconds until `pictures` that wait are rendered too; None where unknown.

    `current` is what is left of the one that is being rendered, if any is and it is known;
    `seconds` is how long the last pictures took.
    """
    usual = _usual(seconds)
    if usual is None:
        return current if not pictures else None
    first = (usual if current is None else current) if rendering else 0.0
    return first + max(pictures, 0) * usual


def _usual(durations: Iterable[float]) -> float | None:
    known = [duration for duration in durations if math.isfinite(duration) and duration >= 0]
    return median(known) if known else None
