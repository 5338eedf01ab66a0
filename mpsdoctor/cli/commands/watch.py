"""`mpsdoctor watch`: runs the daemon in the foreground."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.options import dir_option, hot_folder, profile_option
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.paths import model_name, profile_path
from mpsdoctor.units import MB

if TYPE_CHECKING:
    from mpsdoctor.hotfolder.status.events import Event

logger = logging.getLogger(__name__)


@click.command("watch")
@dir_option
@profile_option
@click.option("--quiet", is_flag=True, help="Print no log lines, unless there is no log file.")
def command(folder: Path | None, profile: Path | None, quiet: bool) -> None:
    """Run the hot folder's daemon.

    Renders every prompt file that is dropped into the inbox. Control-C or SIGTERM stops it; the
    next start renders an unfinished prompt again. A terminal shows the state of the hot folder.
    Elsewhere, and in the log file, each event is a line.
    """
    from mpsdoctor.cli.display.live import page_kept
    from mpsdoctor.cli.settings import Settings
    from mpsdoctor.hotfolder.daemon import watch
    from mpsdoctor.paths import log_file

    path = profile_path(profile, os.environ)
    known = Settings(path)
    settings = known.of()
    others = [one for one in dict.fromkeys(settings.models) if one != settings.model]
    profiles = [settings, *map(known.of, filter(_is_there, others))]
    root = hot_folder(folder, settings)
    console = output.progress_console()
    live = console.is_interactive
    logging.getLogger("watchdog").setLevel(logging.CRITICAL)  # its threads complain when they stop
    shown: Shown = "never" if live else "without a file" if quiet else "always"
    with logged(log_file(), shown=shown), page_kept(root, console) if live else nullcontext():
        try:
            watch(root, profiles, environ=os.environ, on_event=_log)
        except MpsDoctorError as error:
            logger.error("%s", error.title)
            raise


def _is_there(model: str) -> bool:
    """Says so if a model is a folder that does not exist: prompts that name it will fail."""
    if not model.startswith((".", "/", "~")) or Path(model_name(model)).is_dir():
        return True
    output.tell(f"The profile lists {model} in `models`, but there is no such folder.")
    return False


def _log(event: "Event") -> None:
    from mpsdoctor.cli.display.event_line import event_line

    if line := event_line(event):
        logger.info("%s", line)


_FORMAT: Final = "%(asctime)s %(message)s"
_BYTES: Final = MB
_OLDER: Final = 4

Shown = Literal["always", "without a file", "never"]


@contextmanager
def logged(path: Path, *, shown: Shown) -> Iterator[None]:
    """Logs to `path`, in up to 5 files of 1 MB that only their owner can read.

    `shown` says when lines also go to stderr. If the log file cannot be written, the daemon runs
    without it.
    """
    handlers: list[logging.Handler] = [_Shown()] if shown == "always" else []
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handlers.append(_PrivateFile(path))
    except OSError as error:
        output.tell(f"There is no log file: {path}: {error.strerror}")
        handlers += [_Shown()] if shown == "without a file" else []
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
    """A log file that is private from its first byte on, also after rotation."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=_BYTES, backupCount=_OLDER, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.baseFilename, flags, 0o600)
        os.fchmod(descriptor, 0o600)  # the file may be an old one
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="replace")

    def close(self) -> None:
        # Closing writes once more what a full disk refused, and fails again.
        with suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """The daemon reports a full disk; its log need not."""


class _Shown(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            output.tell(self.format(record))
        except OSError:  # the terminal or pipe has gone
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """There is no terminal left to print the error to."""
