"""Options that several commands share."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mpsdoctor.profile.model import Profile

profile_option = click.option(
    "--profile",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The profile's file.  [default: where `mpsdoctor profile path` says]",
)

dir_option = click.option(
    "--dir",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The hot folder.  [default: the profile's, ~/mpsdoctor]",
)


def profile_path(profile: Path | None) -> Path:
    """Where the profile lies: what `--profile` says, else its usual place."""
    from mpsdoctor.paths import expand, profile_file

    return expand(profile) if profile else profile_file(os.environ)


def hot_folder(folder: Path | None, settings: "Profile") -> Path:
    """The hot folder: what `--dir` says, else the profile's."""
    from mpsdoctor.paths import expand

    return expand(folder or settings.hot_folder)
