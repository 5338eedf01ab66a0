"""`mpsdoctor status`: how the hot folder stands."""

import os
from pathlib import Path

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.options import dir_option, hot_folder, profile_option, profile_path


@click.command("status")
@dir_option
@profile_option
def command(folder: Path | None, profile: Path | None) -> None:
    """Show how the hot folder stands.

    Whether the daemon runs, what it renders, and what is waiting.
    """
    from rich.table import Table

    from mpsdoctor.hotfolder.status import read_status
    from mpsdoctor.profile.loading import load
    from mpsdoctor.profile.model import Profile

    path = profile_path(profile)
    settings = load(Profile, path if path.exists() else None, os.environ).profile
    root = hot_folder(folder, settings)
    status = read_status(root)
    table = Table.grid(padding=(0, 2))
    table.add_row("hot folder", str(root))
    table.add_row("daemon", f"running, process {status.pid}" if status.running else "not running")
    if status.progress.name:
        progress = status.progress
        table.add_row("rendering", f"{progress.name}, step {progress.step} of {progress.steps}")
    table.add_row("waiting", str(status.inbox))
    table.add_row("in work", str(status.work))
    table.add_row("done", str(status.done))
    table.add_row("failed", str(status.failed))
    if status.progress.last_error:
        table.add_row("last error", status.progress.last_error)
    output.show(table)
