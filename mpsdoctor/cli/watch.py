"""`mpsdoctor watch`: the daemon, in the foreground."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.options import dir_option, hot_folder, profile_option, profile_path

if TYPE_CHECKING:
    from mpsdoctor.hotfolder.events import Event


@click.command("watch")
@dir_option
@profile_option
def command(folder: Path | None, profile: Path | None) -> None:
    """Run the daemon of the hot folder.

    Renders every prompt file that is dropped into the inbox. Ends with control-C or SIGTERM; a
    prompt in the middle of its rendering is taken up again next time.
    """
    from mpsdoctor.hotfolder.daemon import watch
    from mpsdoctor.profile.loading import load
    from mpsdoctor.profile.model import Profile

    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    logging.getLogger("watchdog").setLevel(logging.CRITICAL)  # its threads complain when they stop
    settings = load(Profile, profile_path(profile), os.environ).profile
    watch(hot_folder(folder, settings), settings, environ=os.environ, on_event=_tell)


def _tell(event: "Event") -> None:
    line = describe(event)
    if line:
        output.tell(line)


def describe(event: "Event") -> str | None:
    """An event in a line for the user; None for one that is only progress."""
    from mpsdoctor.hotfolder import events

    match event:
        case events.Started(root=root, resumed=resumed):
            again = f", {resumed} taken up again" if resumed else ""
            return f"Watching {root / 'inbox'}{again}"
        case events.Loaded(model=model, device=device):
            return f"{model} is ready on {device}"
        case events.Rendering(name=name, attempt=attempt):
            return f"{name}: rendering" + (f", attempt {attempt}" if attempt > 1 else "")
        case events.Published(name=name, image=image, seconds=seconds):
            return f"{name}: {image} ({seconds:.1f} s)"
        case events.Retrying(name=name, title=title):
            return f"{name}: {title}; it is tried again"
        case events.Rejected(name=name, title=title, error_file=error_file):
            return f"{name}: {title}; see {error_file}"
        case events.Unmovable(name=name, reason=reason):
            return f"{name} cannot be taken from the inbox: {reason}"
        case events.Stopped():
            return "Stopped."
        case events.Claimed() | events.Stepped():
            return None
