"""Where the log lines of `mpsdoctor watch` go."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from mpsdoctor.cli import output

_FORMAT: Final = "%(asctime)s %(message)s"
_BYTES: Final = 1_000_000
_OLDER: Final = 4


@contextmanager
def logged(path: Path, *, shown: bool) -> Iterator[None]:
    """Log lines go to `path`, of 5 files of 1 MB that only their owner can read.

    With `shown` they go to stderr as well. A log file that cannot be written stops nothing.
    """
    handlers: list[logging.Handler] = [_Shown()] if shown else []
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handlers.append(_PrivateFile(path))
    except OSError as error:
        output.tell(f"There is no log file: {path}: {error.strerror}")
    root, level = logging.getLogger(), logging.getLogger().level
    for handler in handlers:
        handler.setFormatter(logging.Formatter(_FORMAT))
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.setLevel(level)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()


class _PrivateFile(RotatingFileHandler):
    """Private from the first byte on, as are those that it is rotated to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=_BYTES, backupCount=_OLDER, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.baseFilename, flags, 0o600)
        os.fchmod(descriptor, 0o600)  # one that lay there already
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="replace")

    def close(self) -> None:
        # What a full disk refused is written, and refused, once more.
        with suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """A full disk is for the daemon to speak of, not for its log."""


class _Shown(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            output.tell(self.format(record))
        except OSError:  # the terminal or pipe has gone
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Nobody is left to be told."""
