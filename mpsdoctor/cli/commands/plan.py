"""`mpsdoctor plan`: forecasts what a model needs at a size, and whether that fits."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.options import model_name
from mpsdoctor.constants import EMBEDDED_MODEL, ExitCode
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.install_commands import install_line_here
from mpsdoctor.paths import profile_path

if TYPE_CHECKING:
    from mpsdoctor.facts.records import Facts
    from mpsdoctor.planning.configs import Configs
    from mpsdoctor.planning.footprint import Footprint
    from mpsdoctor.planning.forecast import Attention, Forecast, Machine
    from mpsdoctor.planning.page import Tuned
    from mpsdoctor.profile.settings import Profile

_FILE = click.Path(dir_okay=False, path_type=Path)
_SIDES = (512, 768, 1024, 1536, 2048)
_EMBEDDED_SIDES = (128, 256, 512)
_MOST_STAGES = 2


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{1,4})[x×]([1-9]\d{1,4})", text)
    if match is None:
        raise click.BadParameter(f"{text!r} is not a size such as 1024x768.")
    return int(match[1]), int(match[2])


@click.command("plan")
@click.argument("model", type=model_name)
@click.option(
    "--size",
    "sizes",
    metavar="WxH",
    type=_size,
    multiple=True,
    help="Width and height in pixels; repeatable.  [default: from 512x512 to 2048x2048]",
)
@click.option(
    "--dtype",
    type=click.Choice(["float16", "bfloat16", "float32"]),
    help="Number format of the weights.  [default: the profile's, or what suits the model]",
)
@click.option(
    "--attention",
    "attentions",
    type=click.Choice(["native", "bounded", "sliced"]),
    multiple=True,
    help="Consider only this attention; repeatable.  [default: all]",
)
@click.option("--facts", metavar="FILE", type=_FILE, help="Plan for a recorded machine.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option("--plot", metavar="FILE.png", type=_FILE, help="Plot peak memory against size.")
def command(
    model: str,
    sizes: tuple[tuple[int, int], ...],
    dtype: str | None,
    attentions: tuple["Attention", ...],
    facts: Path | None,
    form: str,
    plot: Path | None,
) -> ExitCode:
    """Forecast how much memory a model needs, and what fits.

    MODEL is a Hugging Face id, a folder, or `shapes`, the embedded model. No weights are read.
    Only small config files are downloaded, and only for a Hugging Face id. The exit code is 1 if
    a size that you name does not fit.
    """
    from mpsdoctor.knowledge.attention.pieces import DEFAULT_BUDGET_MIB
    from mpsdoctor.planning import page
    from mpsdoctor.planning.forecast import forecast, machine_of

    configs = _configs(model)
    examined = _facts(facts)
    machine = machine_of(examined)
    asked = list(dict.fromkeys(sizes)) or _usual_sizes(model)
    settings = None if dtype else _settings(configs, examined if facts else None)
    tuned = _tuned(settings) if settings and not attentions else None
    footprints = _footprints(configs, asked, settings.dtype if settings else str(dtype))
    modes = attentions or ("native", "bounded", "sliced")
    forecasts = [forecast(one, machine, modes, DEFAULT_BUDGET_MIB) for one in footprints]
    if form == "json":
        output.show(page.as_json(machine, forecasts, tuned))
    else:
        _show(machine, forecasts, tuned, bool(sizes))
    if plot:
        _plot(machine, forecasts, plot)
    fits = all(one.best is not None for one in forecasts) or machine.limit_bytes is None
    return ExitCode.OK if fits or not sizes else ExitCode.FINDINGS


def _show(
    machine: "Machine", forecasts: "Sequence[Forecast]", tuned: "Tuned | None", detailed: bool
) -> None:
    from mpsdoctor.planning import page

    output.show(page.head(machine, forecasts, tuned))
    output.show(page.sizes(forecasts))
    if detailed and len(forecasts) <= _MOST_STAGES:
        for one in forecasts:
            output.show(page.stages(one))
    output.show(page.verdict(machine, forecasts))


def _usual_sizes(model: str) -> list[tuple[int, int]]:
    sides = _EMBEDDED_SIDES if model == EMBEDDED_MODEL else _SIDES
    return [(side, side) for side in sides]


def _configs(model: str) -> "Configs":
    """The config files that every command tunes with, fetched if the model is not here."""
    from mpsdoctor.cli.host import host
    from mpsdoctor.planning.configs import are_whole, read_folder
    from mpsdoctor.tuning import lookup

    if shipped := lookup.shipped_configs(model):
        return shipped
    local = model == EMBEDDED_MODEL or Path(model).is_dir()
    folder = lookup.folder_of(model, host())
    if folder is None or not (local or are_whole(folder)):
        folder = _fetch(model)
    return read_folder(model, folder)


def _fetch(model: str) -> Path:
    from mpsdoctor.hub import configs
    from mpsdoctor.hub.client import require_library
    from mpsdoctor.hub.errors import explained, refuse_offline
    from mpsdoctor.paths import plans_folder

    refuse_offline(os.environ)
    require_library()
    with explained(model, os.environ), output.busy(f"Fetching the config files of {model} …"):
        return configs.fetch(model, plans_folder() / "configs")


def _facts(recorded: Path | None) -> "Facts":
    from mpsdoctor.doctor.examine import read_facts
    from mpsdoctor.facts.collect import collect

    return read_facts(recorded) if recorded else collect(ask_torch=False)


def _footprints(configs: "Configs", sizes: list[tuple[int, int]], dtype: str) -> "list[Footprint]":
    from mpsdoctor.facts.command import run
    from mpsdoctor.paths import plans_folder
    from mpsdoctor.planning.cache import footprints

    with output.busy(f"Planning {configs.model} …"):
        return footprints(configs, sizes, dtype, plans_folder(), run)


def _settings(configs: "Configs", recorded: "Facts | None") -> "Profile":
    """The settings with which the model is rendered, here or on a recorded machine."""
    from mpsdoctor.cli.host import host
    from mpsdoctor.cli.settings import Settings
    from mpsdoctor.profile.choice import settings_of
    from mpsdoctor.profile.settings import Profile
    from mpsdoctor.tuning.for_model import tune_for

    if recorded:
        tuned = tune_for(configs.model, recorded, host(), configs=configs)
        return Profile.model_validate(settings_of(tuned.choices))
    profile = profile_path(None, os.environ)
    return Settings(profile, optional=True).of(configs.model, configs)


def _tuned(settings: "Profile") -> "Tuned":
    from mpsdoctor.planning.forecast import Setting
    from mpsdoctor.planning.page import Tuned

    setting = Setting(
        attention=settings.attention,
        attention_budget=settings.attention_budget,
        vae_tiling=settings.vae_tiling,
    )
    return Tuned(device=settings.device, setting=setting)


def _plot(machine: "Machine", forecasts: "Sequence[Forecast]", path: Path) -> None:
    try:
        from mpsdoctor.planning.plot import draw
    except ImportError as error:
        raise MpsDoctorError(
            "A plot needs Pillow, which is not installed",
            detail=str(error),
            hint=f"Install it: {install_line_here('pillow')}",
        ) from error
    try:
        draw(machine, forecasts).save(path)
    except (OSError, ValueError) as error:
        raise MpsDoctorError(
            f"The plot cannot be written to {path}", detail=str(error), hint="Name a .png file."
        ) from error
    output.tell(f"Plot: {path}")
