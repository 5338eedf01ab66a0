"""Keeps the Mac from idle sleep while there is something to render."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

logger = logging.getLogger(__name__)

_SECONDS_TO_END = 2.0


def caffeinate(kernel: str = sys.platform) -> tuple[str, ...] | None:
    """The caffeinate(8) command that prevents idle sleep until this process ends in any way.

    The display may sleep, and so may the Mac when its lid is closed. None on other systems.
    """
    return ("/usr/bin/caffeinate", "-i", "-w", str(os.getpid())) if kernel == "darwin" else None


class Awake:
    """Runs `command` between `hold` and `release`. Neither raises; both may be repeated."""

    def __init__(self, command: Sequence[str] | None) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def hold(self) -> None:
        """Keeps the Mac awake from now on."""
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
        """Lets the Mac sleep again."""
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
    """Seconds that this machine has slept since it was started; differences are exact.

    clock_gettime(3) on macOS, clock_gettime(2) on Linux. 0 if the system has only one such clock.
    """
    return asleep(*_clocks())


def asleep(awake: Clock, total: Clock) -> float:
    """How far a clock that stops during sleep, `awake`, is behind one that does not."""
    return max(total() - awake(), 0.0)


def _clocks() -> tuple[Clock, Clock]:
    if sys.platform == "darwin":
        return (
            lambda: time.clock_gettime(time.CLOCK_UPTIME_RAW),
            lambda: time.clock_gettime(time.CLOCK_MONOTONIC_RAW),
        )
    if sys.platform == "linux":
        return time.monotonic, lambda: time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic, time.monotonic
