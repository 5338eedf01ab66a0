"""`mpsdoctor watch`: the daemon, in the foreground."""

import logging
import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.options import dir_option, hot_folder, profile_option, profile_path
from mpsdoctor.errors import MpsDoctorError

if TYPE_CHECKING:
    from mpsdoctor.hotfolder.events import Event

logger = logging.getLogger(__name__)


@click.command("watch")
@dir_option
@profile_option
def command(folder: Path | None, profile: Path | None) -> None:
    """Run the daemon of the hot folder.

    Renders every prompt file that is dropped into the inbox. Ends with control-C or SIGTERM; a
    prompt in the middle of its rendering is taken up again next time. A terminal shows how the
    folder stands; elsewhere, and in the log file, each event is a line.
    """
    from mpsdoctor.cli.live import page_kept
    from mpsdoctor.cli.watch_log import logged
    from mpsdoctor.hotfolder.daemon import watch
    from mpsdoctor.paths import log_file
    from mpsdoctor.profile.loading import load
    from mpsdoctor.profile.model import Profile

    settings = load(Profile, profile_path(profile), os.environ).profile
    root = hot_folder(folder, settings)
    console = output.progress_console()
    live = console.is_interactive
    logging.getLogger("watchdog").setLevel(logging.CRITICAL)  # its threads complain when they stop
    with logged(log_file(), shown=not live), page_kept(root, console) if live else nullcontext():
        try:
            watch(root, settings, environ=os.environ, on_event=_log)
        except MpsDoctorError as error:
            logger.error("%s", error.title)
            raise


def _log(event: "Event") -> None:
    from mpsdoctor.cli.event_line import event_line

    if line := event_line(event):
        logger.info("%s", line)
