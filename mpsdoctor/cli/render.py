"""`mpsdoctor render`: one prompt, now."""

import os
import re
import secrets
from pathlib import Path

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.options import profile_option, profile_path


@click.command("render")
@click.argument("prompt")
@click.option("--model", metavar="MODEL", help="Id or folder.  [default: the profile's]")
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
    """Render PROMPT into a PNG, now.

    Takes the profile's settings; an existing file is never overwritten. Downloads nothing.
    """
    from rich.progress import Progress

    from mpsdoctor.profile.loading import load
    from mpsdoctor.prompts.request import SEEDS, Request
    from mpsdoctor.rendering.libraries import require_quiet_libraries
    from mpsdoctor.rendering.tuned import TunedProfile

    settings = load(TunedProfile, profile_path(profile), os.environ).profile
    settings.activate(os.environ)
    output.tell(f"Loading {model or settings.model} on {settings.device} …")
    require_quiet_libraries()
    pipe = settings.load_pipeline(model, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)

    from mpsdoctor.files import move_to_unused
    from mpsdoctor.rendering.generate import generate
    from mpsdoctor.rendering.pictures import save_png

    seed = secrets.randbelow(SEEDS) if seed is None else seed
    with Progress(console=output.progress_console(), transient=True) as progress:
        task = progress.add_task(prompt, total=None)
        [picture] = generate(
            settings,
            pipe,
            [Request(prompt=prompt, seed=seed)],
            lambda step, steps: progress.update(task, completed=step, total=steps),
        )
    target = target or Path(f"{slug(prompt)}.png")
    partial = target.with_name(f".{target.name}.partial")
    save_png(picture.image, picture.parameters, partial)
    for note in picture.notes:
        output.tell(note)
    output.show(str(move_to_unused(partial, target.parent, target.stem, target.suffix)))


def slug(prompt: str) -> str:
    """The prompt's words as a file name of at most 60 characters."""
    return "-".join(re.findall(r"\w+", prompt.lower()))[:60].strip("-") or "picture"
