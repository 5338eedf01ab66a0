"""A command on a terminal of its own: a real pty, and what a person would see there."""

import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

ROWS, COLUMNS = 40, 120


class Terminal:
    """What `argv` wrote to its terminal so far."""

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        self._main, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            argv, stdin=terminal, stdout=terminal, stderr=terminal, env={**environ, "TERM": "xterm"}
        )
        os.close(terminal)
        self._written = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        # Linux answers EIO once the other end is closed.
        with contextlib.suppress(OSError):
            while chunk := os.read(self._main, 4096):
                self._written += chunk

    @property
    def written(self) -> str:
        """Everything, with its control sequences."""
        return self._written.decode()

    def wait_for(self, text: str, seconds: float = 30.0) -> None:
        """Until `text` has been written."""
        deadline = time.monotonic() + seconds
        while text not in self.written:
            assert time.monotonic() < deadline, f"no {text!r} in {self.written!r}"
            time.sleep(0.01)

    def end(self, number: signal.Signals, seconds: float = 10.0) -> int:
        """Sends the signal; the exit status."""
        self.process.send_signal(number)
        return self.wait(seconds)

    def wait(self, seconds: float = 10.0) -> int:
        """The exit status, once all has been read."""
        status = self.process.wait(seconds)
        self._reader.join(seconds)
        return status

    def close(self) -> None:
        """Ends the command if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.wait()
        os.close(self._main)


@contextlib.contextmanager
def terminal(argv: Sequence[str], environ: Mapping[str, str]) -> Iterator[Terminal]:
    """`argv`, ended at the end."""
    opened = Terminal(argv, environ)
    try:
        yield opened
    finally:
        opened.close()
