"""Options and arguments that several commands share."""

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
    help="The profile to use.  [default: see `mpsdoctor profile path`]",
)

dir_option = click.option(
    "--dir",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The hot folder.  [default: the profile's, usually ~/mpsdoctor]",
)

_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
_PAGE = re.compile(r"(?:https?://)?(?:huggingface\.co|hf\.co)/([^/?#]+/[^/?#]+).*")


def model_name(text: str) -> str:
    """Normalizes MODEL: `shapes`, the absolute path of a folder, or ORG/NAME on the hub.

    The address of a model's page on the hub stands for its id.

    Raises click.BadParameter for anything else, including a folder that does not exist.
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
        f"{text!r} is not a folder, and not a Hugging Face id such as ORG/NAME. The embedded "
        f"model is called {EMBEDDED_MODEL}."
    )


def hot_folder(folder: Path | None, settings: "Profile") -> Path:
    """The hot folder: that of `--dir`, else the profile's."""
    from mpsdoctor.paths import expand

    return expand(folder or settings.hot_folder)
