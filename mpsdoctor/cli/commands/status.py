"""`mpsdoctor status`: shows the state of the hot folder."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.options import dir_option, hot_folder, profile_option
from mpsdoctor.paths import profile_path

if TYPE_CHECKING:
    from mpsdoctor.hotfolder.status.status import Status


@click.command("status")
@dir_option
@profile_option
@click.option("--watch", is_flag=True, help="Show each change, until control-C.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def command(folder: Path | None, profile: Path | None, watch: bool, form: str) -> None:
    """Show the state of the hot folder.

    Shows whether the daemon runs, what it renders and how long that will take, what is waiting and
    why, and the last results.
    """
    from mpsdoctor.hotfolder.status.status import read_status
    from mpsdoctor.profile.loading import load
    from mpsdoctor.profile.settings import Profile

    path = profile_path(profile, os.environ)
    settings = load(Profile, path if path.exists() else None, os.environ).profile
    root = hot_folder(folder, settings)
    if not watch:
        return output.show(_page(read_status(root), form))
    with suppress(KeyboardInterrupt):  # the normal way to end it
        _keep_shown(root, form)
    return None


def _keep_shown(root: Path, form: str) -> None:
    from mpsdoctor.cli.display.live import changes, keep_page

    until_interrupted = threading.Event()
    if form == "text" and output.result_console().is_interactive:
        return keep_page(root, output.result_console(), until_interrupted)
    for number, status in enumerate(changes(root, until_interrupted)):
        separator = "\n" if number and form == "text" else ""
        output.show(separator + _page(status, form))
    return None


def _page(status: "Status", form: str) -> str:
    from mpsdoctor.cli.display.status_page import as_json, lines

    return as_json(status) if form == "json" else "\n".join(lines(status, time.time()))
