"""Keeps the Mac from falling asleep, while there is something to render."""

import logging
import os
import subprocess
import sys
from collections.abc import Sequence

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
