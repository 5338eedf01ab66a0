"""Keeps the Mac from falling asleep, while there is something to render."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

logger = logging.getLogger(__name__)

_SECONDS_TO_END = 2.0


def caffeinate(kernel: str = sys.platform) -> tuple[str, ...] | None:
    """caffeinate(8) against idle sleep; it ends with this process, however that ends.

    The display may sleep, and so may the Mac when its lid is closed. None on other systems.
    """
    return ("/usr/bin/caffeinate", "-i", "-w", str(os.getpid())) if kernel == "darwin" else None


class Awake:
    """Runs `command` between `hold` and `release`; neither ever raises, both may be repeated."""

    def __init__(self, command: Sequence[str] | None) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def hold(self) -> None:
        """From now on the Mac stays awake."""
        if self._command is None or (self._process and self._process.poll() is None):
            return
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            logger.warning("the Mac may fall asleep while it renders: %s", error)
            self._command = None

    def release(self) -> None:
        """From now on the Mac may sleep."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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
