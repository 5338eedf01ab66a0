"""How long the machine has been asleep: one clock stops then, another one goes on."""

import sys
import time
from collections.abc import Callable

Clock = Callable[[], float]


def asleep_s() -> float:
    """Seconds that this machine has slept since it was started; differences of it are exact.

    clock_gettime(3) on macOS, clock_gettime(2) on Linux. 0 where the clocks are the same.
    """
    return asleep(*_clocks())


def asleep(stops: Clock, goes_on: Clock) -> float:
    """What a clock that stops during sleep lags behind one that goes on."""
    return max(goes_on() - stops(), 0.0)


def _clocks() -> tuple[Clock, Clock]:
    if sys.platform == "darwin":
        return (
            lambda: time.clock_gettime(time.CLOCK_UPTIME_RAW),
            lambda: time.clock_gettime(time.CLOCK_MONOTONIC_RAW),
        )
    if sys.platform == "linux":
        return time.monotonic, lambda: time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic, time.monotonic
