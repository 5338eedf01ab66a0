"""Options that several commands share."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mpsdoctor.constants import EMBEDDED_MODEL

if TYPE_CHECKING:
    from mpsdoctor.profile.settings import Profile

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

_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
_PAGE = re.compile(r"(?:https?://)?(?:huggingface\.co|hf\.co)/([^/?#]+/[^/?#]+).*")


def model_name(text: str) -> str:
    """MODEL as every command names it: `shapes`, a folder's absolute path, or a hub's ORG/NAME.

    The address of a model's page on the hub is taken for its id.

    Raises click.BadParameter for anything else, also for a folder that does not exist.
    """
    from mpsdoctor.paths import expand

    if text == EMBEDDED_MODEL:
        return text
    if text and expand(text).is_dir():
        return str(expand(text))
    page = _PAGE.fullmatch(text)
    name = page[1] if page else text
    if _ID.fullmatch(name):
        return name
    if text.startswith((".", "/", "~")):
        raise click.BadParameter(f"There is no folder {text}.")
    raise click.BadParameter(
        f"{text!r} is no folder and no id on Hugging Face, such as ORG/NAME; {EMBEDDED_MODEL} is "
        "the embedded model."
    )


def hot_folder(folder: Path | None, settings: "Profile") -> Path:
    """The hot folder: what `--dir` says, else the profile's."""
    from mpsdoctor.paths import expand

    return expand(folder or settings.hot_folder)
