"""A plan as text and as JSON; pure."""

from collections.abc import Sequence

import msgspec
from rich import box
from rich.table import Table
from rich.text import Text

from mpsdoctor.constants import PLAN_SCHEMA
from mpsdoctor.knowledge.attention.memory import Cliff
from mpsdoctor.planning.forecast import Forecast, Machine, Outcome, Setting, StageForecast, largest
from mpsdoctor.records import Record
from mpsdoctor.units import gib, in_gib

_FALLS = {
    Cliff.ABORT: "aborts",
    Cliff.WRONG: "wrong",
}
_WHY = {
    Cliff.ABORT: "aborts: an array exceeds 4 GiB, and Metal aborts the process (pytorch #149261).",
    Cliff.WRONG: "wrong: a score matrix of 2^31 elements or more gives wrong pictures, without an "
    "error (pytorch #179352).",
}


class Tuned(Record):
    """What the profile renders the model with: at its usual size, or at the largest that fits."""

    device: str
    setting: Setting


class Plan(Record, kw_only=True):
    """What `mpsdoctor plan --format json` prints; sizes in bytes and pixels.

    `largest` is the largest of the sizes that fit, with its setting. `tuned` is None if the user
    asked for another number format or attention.
    """

    schema_version: int = PLAN_SCHEMA
    machine: Machine
    forecasts: tuple[Forecast, ...]
    largest: Forecast | None
    tuned: Tuned | None


def as_json(machine: Machine, forecasts: Sequence[Forecast], tuned: Tuned | None) -> str:
    """A `Plan`, indented."""
    plan = Plan(
        machine=machine, forecasts=tuple(forecasts), largest=largest(forecasts), tuned=tuned
    )
    return msgspec.json.format(msgspec.json.encode(plan), indent=2).decode()


def head(machine: Machine, forecasts: Sequence[Forecast], tuned: Tuned | None) -> Text:
    """The model, the limit of this machine, and how the profile renders the model."""
    first = forecasts[0]
    parts = ", ".join(
        f"{stage.name} {in_gib(stage.weights_bytes)}" for stage in first.outcomes[0].stages
    )
    limit = gib(machine.limit_bytes) if machine.limit_bytes else "not known"
    versions = [f"PyTorch {machine.torch}" if machine.torch else "PyTorch not known"]
    if machine.mps:
        versions.append(f"macOS {machine.macos or 'not known'}")
    return Text.assemble(
        (first.model, "bold"),
        f" in {first.dtype} ({first.pipeline})\n",
        f"  weights  {in_gib(first.weights_bytes):>6} GiB  {parts}\n",
        f"  limit    {limit:>10}  {machine.limit_from}; {', '.join(versions)}",
        _in_use(machine),
        f"\n  profile  {tuned.setting} attention on {tuned.device}" if tuned else "",
    )


def sizes(forecasts: Sequence[Forecast]) -> Table:
    """A line per size: the peak with each setting, weights included, and the best that fits."""
    table = Table(
        box=box.SIMPLE, title="peak memory in GiB, with the weights", title_justify="left"
    )
    table.add_column("size")
    for outcome in _untiled(forecasts[0]):
        table.add_column(outcome.setting.attention, justify="right")
    table.add_column("what fits")
    for forecast in forecasts:
        cells = [_cell(outcome) for outcome in _untiled(forecast)]
        table.add_row(_size(forecast), *cells, _best(forecast))
    return table


def stages(forecast: Forecast) -> Table:
    """A line per setting: the activations of each stage, and the largest array."""
    title = f"{_size(forecast)}: activations in GiB by stage"
    table = Table(box=box.SIMPLE, title=title, title_justify="left")
    table.add_column("attention")
    for stage in forecast.outcomes[0].stages:
        table.add_column(stage.name, justify="right")
    table.add_column("largest buffer", justify="right")
    for outcome in forecast.outcomes:
        peaks = (in_gib(stage.peak_bytes) + _mark(stage) for stage in outcome.stages)
        table.add_row(str(outcome.setting), *peaks, in_gib(outcome.largest_buffer_bytes))
    return table


def verdict(machine: Machine, forecasts: Sequence[Forecast]) -> Text:
    """The largest size that fits; for the others, how much is missing and what would help."""
    page = Text()
    best = largest(forecasts)
    if best is not None:
        page.append(
            f"Largest of these that fits: {_size(best)}, with attention {best.best}.\n",
            style="green",
        )
    for forecast in forecasts:
        if forecast.best is None and machine.limit_bytes is not None:
            page.append(_missing(forecast, machine.limit_bytes, best), style="red")
    page.append(_crowded(machine, forecasts), style="yellow")
    for cliff in dict.fromkeys(
        outcome.cliff for one in forecasts for outcome in one.outcomes if outcome.cliff
    ):
        page.append(f"{_WHY[cliff]}\n", style="dim")
    page.rstrip()
    return page


def _missing(forecast: Forecast, limit: int, best: Forecast | None) -> str:
    least = min(forecast.outcomes, key=lambda one: (one.cliff is not None, one.missing_bytes))
    size = f"{forecast.width}×{forecast.height}"
    if not least.missing_bytes:
        return f"{size} does not work here with any setting.\n"
    missing = f"{gib(least.missing_bytes)} are missing, with attention {least.setting}."
    return f"{size} does not fit: {missing} {_help(forecast, limit, best)}\n"


def _in_use(machine: Machine) -> str:
    """The memory in use, if known, on a separate line."""
    if machine.in_use_bytes is None or machine.left_bytes is None:
        return ""
    held, left = in_gib(machine.in_use_bytes), in_gib(machine.left_bytes)
    return (
        f"\n  in use   {held:>6} GiB  by other programs and the system now; they leave {left} GiB"
    )


def _crowded(machine: Machine, forecasts: Sequence[Forecast]) -> str:
    """The sizes that would fit if other programs used less memory."""
    missing = {
        _size(forecast): outcome.missing_now_bytes
        for forecast in forecasts
        if (outcome := forecast.best_outcome) and outcome.missing_now_bytes
    }
    if not missing:
        return ""
    fits = "fits" if len(missing) == 1 else "fit"
    here = "this Mac" if machine.mps else "this machine"
    amounts = dict.fromkeys(in_gib(size) for size in (min(missing.values()), max(missing.values())))
    return (
        f"{', '.join(missing)} {fits} {here}, but not beside the programs that are open now: "
        f"{' to '.join(amounts)} GiB are missing. Close other programs.\n"
    )


def _help(forecast: Forecast, limit: int, best: Forecast | None) -> str:
    if best is not None:
        return f"{_size(best)} fits."
    if forecast.weights_bytes > limit:
        more = gib(forecast.weights_bytes - limit)
        text = f"The weights alone exceed the limit by {more}."
        half = " In half precision they take half (--dtype)."
        return text + (half if forecast.dtype == "float32" else " Use a smaller model.")
    return "Try a smaller size (--size)."


def _untiled(forecast: Forecast) -> list[Outcome]:
    return [outcome for outcome in forecast.outcomes if not outcome.setting.vae_tiling]


def _cell(outcome: Outcome) -> Text:
    if outcome.cliff is not None:
        return Text(_FALLS[outcome.cliff], style="red")
    style = {True: "green", False: "red", None: ""}[outcome.fits]
    return Text(in_gib(outcome.peak_bytes), style=style)


def _best(forecast: Forecast) -> Text:
    if forecast.best is None:
        return Text(
            "nothing" if forecast.outcomes[0].fits is not None else "not known", style="red"
        )
    return Text(str(forecast.best), style="green")


def _mark(stage: StageForecast) -> str:
    return f" {_FALLS[stage.cliff]}" if stage.cliff else ""


def _size(forecast: Forecast) -> str:
    return f"{forecast.width}×{forecast.height}"
