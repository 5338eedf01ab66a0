"""`mpsdoctor tune`: measure what the rules leave open, and keep the fastest."""

import json
import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.options import model_name, profile_option
from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.paths import profile_path
from mpsdoctor.units import gib, mib

if TYPE_CHECKING:
    from mpsdoctor.facts.measurement import Measurement
    from mpsdoctor.facts.memory_watch import MemoryWatch
    from mpsdoctor.profile.choice import Choices, Value
    from mpsdoctor.tuning.candidates import Candidate

_CHILD = "mpsdoctor.rendering.measure"
_SECONDS = 900.0
"""For loading a model and rendering a few steps, also where that swaps."""


@click.command("tune")
@click.argument("model", type=model_name, required=False)
@click.option(
    "--steps",
    type=click.IntRange(3, 50),
    default=6,
    show_default=True,
    help="Steps to render with each setting.",
)
@profile_option
def command(model: str | None, steps: int, profile: Path | None) -> None:
    """Measure the settings that could be the fastest, and keep the one that is.

    Renders a few steps of MODEL (default: the profile's) with each, after a warm-up, and writes the
    fastest that gave a picture, and for which there was memory enough, into the profile.
    """
    from mpsdoctor.cli.doctor.tuned_profile import show_fit, show_saved, tune_with_edits
    from mpsdoctor.facts.collect import collect
    from mpsdoctor.profile.quick_settings import read
    from mpsdoctor.profile.saving import edits_for, read_document, save_profile
    from mpsdoctor.tuning.candidates import (
        candidates,
        fastest,
        made_with,
        memory_was_short,
        with_measured,
    )
    from mpsdoctor.tuning.machine_name import machine_name

    path = profile_path(profile, os.environ)
    name = model or read(path, {}).model or EMBEDDED_MODEL
    with output.busy("Examining this machine …"):
        facts = collect()
    previous = read_document(path)
    tuned = tune_with_edits(name, facts, previous)
    show_fit(tuned)
    choices, edits = tuned.choices, edits_for(previous, name)
    found = candidates(choices, facts, tuned.needs)
    measured = {}
    for number, candidate in enumerate(found, 1):
        with output.busy(f"Measuring {number} of {len(found)}: {candidate} …"):
            measured[candidate] = _measure(choices, edits, candidate, steps, on_mac=facts.is_mac)
        output.show(f"{candidate}: {_described(measured[candidate])}")
    chosen = fastest(measured)
    if chosen is None:
        raise _none(memory_was_short(measured))
    output.show(f"The fastest: {chosen}")
    choices = with_measured(choices, chosen, measured, made_with(facts))
    show_saved(path, save_profile(path, choices, previous, machine_name(facts)), choices)


def _none(short_of_memory: bool) -> MpsDoctorError:
    enough, hint = "", "`mpsdoctor check` looks for known faults."
    if short_of_memory:
        enough = " while there was memory enough"
        hint = "Close other programs, or choose a smaller size or model: `mpsdoctor plan`."
    return MpsDoctorError(
        f"Nothing that was measured gave a picture{enough}",
        detail="The profile stays as it is.",
        hint=hint,
    )


def _measure(
    choices: "Choices",
    edits: "dict[str, Value]",
    candidate: "Candidate",
    steps: int,
    *,
    on_mac: bool,
) -> "Measurement":
    """With an eye on the memory, where macOS says how it is."""
    from mpsdoctor.facts.command import run
    from mpsdoctor.facts.memory_watch import watching
    from mpsdoctor.profile.choice import settings_of
    from mpsdoctor.profile.settings import Profile

    own = {name: value for name, value in edits.items() if name in Profile.model_fields}
    settings = settings_of(choices) | own | dict(candidate.settings)
    if not on_mac:
        return _render(settings, steps)
    with watching(run) as watch:
        measured = _render(settings, steps)
    return _judged(measured, watch)


def _render(settings: "dict[str, Value | dict[str, str]]", steps: int) -> "Measurement":
    """In a process of its own, which Metal may abort.

    Raises MpsDoctorError where no candidate can be measured: the libraries, the model or the device
    cannot be had.
    """
    from mpsdoctor.facts import child
    from mpsdoctor.facts.command import run
    from mpsdoctor.facts.measurement import Measurement

    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        file.write(json.dumps(settings))
        file.flush()
        result = child.run_module(run, _CHILD, file.name, str(steps), seconds=_SECONDS)
    return child.answer(result, Measurement) or Measurement(
        problem=child.how_it_ended(result, _SECONDS),
        short_of_memory=result.exit_code == -signal.SIGKILL,  # by jetsam, or the OOM killer
    )


def _judged(measured: "Measurement", watch: "MemoryWatch") -> "Measurement":
    """The kernel's own count of swap; a figure from while it was short of memory is none.

    What psutil counts as swapped out on macOS are pages written to files (psutil/arch/osx/mem.c).
    """
    from msgspec.structs import replace

    from mpsdoctor.facts.records import Pressure

    if watch.swapped_bytes is not None:
        measured = replace(measured, swapped_bytes=watch.swapped_bytes)
    if measured.problem or watch.pressure in (None, Pressure.NORMAL):
        return measured
    problem = f"not trusted: memory pressure was {watch.pressure.value} meanwhile"
    return replace(measured, problem=problem, short_of_memory=True)


def _described(measured: "Measurement") -> str:
    if measured.problem:
        return measured.problem
    peak = f", {gib(measured.peak_bytes)}" if measured.peak_bytes else ""
    swapped = f", swapped {mib(measured.swapped_bytes)}" if measured.swapped_bytes else ""
    return f"{measured.seconds:.3g} s a step{peak}{swapped}"
