"""`mpsdoctor render`: renders one prompt."""

import os
import re
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.options import model_name, profile_option
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.paths import profile_path


@click.command("render")
@click.argument("prompt")
@click.option(
    "--model", metavar="MODEL", type=model_name, help="Id or folder.  [default: the profile's]"
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="[default: a random one]")
@click.option(
    "-o",
    "--output",
    "target",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The PNG to write.  [default: named after the prompt, in this folder]",
)
@profile_option
def command(
    prompt: str, model: str | None, seed: int | None, target: Path | None, profile: Path | None
) -> None:
    """Render one PROMPT into a PNG file.

    Uses the profile's settings. Never overwrites a file, and downloads nothing.
    """
    from mpsdoctor.cli.settings import Settings
    from mpsdoctor.libraries import require_quiet_libraries
    from mpsdoctor.prompts.request import SEEDS, Request

    target = target or Path(f"{slug(prompt)}.png")
    _require_place(target)
    settings = Settings(profile_path(profile, os.environ)).of(model)
    settings.activate(os.environ)
    output.tell(f"Loading {settings.model} on {settings.device} …")
    require_quiet_libraries()
    from mpsdoctor.rendering.pipeline import load_pipeline

    pipe = load_pipeline(settings, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)

    from mpsdoctor.files import move_to_unused
    from mpsdoctor.rendering.generate import generate
    from mpsdoctor.rendering.pictures import save_png

    seed = secrets.randbelow(SEEDS) if seed is None else seed
    with output.progress_bar() as progress:
        task = progress.add_task(prompt, total=None)
        [picture] = generate(
            settings,
            pipe,
            [Request(prompt=prompt, seed=seed)],
            lambda step, steps: progress.update(task, completed=step, total=steps),
        )
    partial = target.with_name(f".mpsdoctor-{os.getpid()}.partial")
    try:
        save_png(picture.image, picture.parameters, partial)
        saved = move_to_unused(partial, target.parent, target.stem, target.suffix)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        again = f"The picture is lost. To render it again, add: --seed {seed} --output FILE"
        raise _cannot_write(target, error, again) from error
    for note in picture.notes:
        output.tell(note)
    output.show(str(saved))


def _require_place(target: Path) -> None:
    """Makes and removes a file beside the target, so that loading a model is not in vain."""
    if target.suffix.lower() != ".png":
        raise click.BadParameter(f"{target} does not end in .png.", param_hint="--output")
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        hint = "Name a file in a folder that exists and that you may write to: --output FILE"
        raise _cannot_write(target, error, hint) from error


def _cannot_write(target: Path, error: OSError, hint: str) -> MpsDoctorError:
    return MpsDoctorError(
        f"The picture cannot be written to {target}",
        detail=f"{error.strerror or error}.",
        hint=hint,
    )


def slug(prompt: str) -> str:
    """The prompt's words as a file name of at most 60 characters."""
    return "-".join(re.findall(r"\w+", prompt.lower()))[:60].strip("-") or "picture"
