"""`mpsdoctor tune`: measures what the rules leave open, and keeps what is shown to be faster."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.options import model_name, profile_option
from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.paths import profile_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mpsdoctor.facts.measurement import Measurement
    from mpsdoctor.profile.choice import Choices, Value
    from mpsdoctor.tuning.candidates import Candidate
    from mpsdoctor.tuning.comparison import Comparison


@click.command("tune")
@click.argument("model", type=model_name, required=False)
@click.option(
    "--rounds",
    type=click.IntRange(10, 100),
    default=24,
    show_default=True,
    help="Maximum number of rounds. More rounds find smaller differences.",
)
@click.option(
    "--steps",
    type=click.IntRange(3, 50),
    default=4,
    show_default=True,
    help="Steps per picture.",
)
@profile_option
def command(model: str | None, rounds: int, steps: int, profile: Path | None) -> None:
    """Measure which settings are fastest, and keep them.

    Each round loads MODEL (default: the profile's) once per setting and renders two short pictures,
    after a warm-up. The profile changes only if a setting is more than 3 % faster than the
    profile's, with 98 % confidence. There must also have been enough memory for it.

    A measurement takes about half a minute with Stable Diffusion 1.5 on an M1, and one to two
    minutes with SDXL. Five settings that do not differ need 25 to 40 measurements; a setting that
    is 10 % faster needs 35 to 50. Each round says how much is left at most. Control-C leaves the
    profile unchanged.
    """
    from mpsdoctor.cli.doctor.tuned_profile import (
        show_fit,
        show_saved,
        tune_with_edits,
        with_measurements,
    )
    from mpsdoctor.facts.collect import collect
    from mpsdoctor.profile.quick_settings import read
    from mpsdoctor.profile.saving import read_document, save_profile
    from mpsdoctor.tuning import figures
    from mpsdoctor.tuning.candidates import candidates, current, made_with
    from mpsdoctor.tuning.machine_name import machine_name
    from mpsdoctor.tuning.measure import compare

    path = profile_path(profile, os.environ)
    name = model or read(path, {}).model or EMBEDDED_MODEL
    previous = read_document(path)
    with output.busy("Examining this machine …"):
        facts = collect()
    tuned, releases = tune_with_edits(name, facts, previous), made_with(facts)
    show_fit(tuned)
    # Earlier measurements count: a new winner must be faster than the old one.
    choices = with_measurements(tuned.choices, facts, previous)
    found = dict.fromkeys((current(choices), *candidates(tuned.choices, facts, tuned.needs)))
    measure = _measuring(choices, previous.edits_for(name), steps, watch_memory=facts.is_mac)
    comparison = compare(found, rounds, measure, time.monotonic, output.tell)
    for candidate in found:
        output.show(figures.line(comparison, candidate))
    if comparison.reference is None or comparison.problem(comparison.reference):
        raise _failed(comparison)
    output.show(figures.verdict(comparison))
    choices = _decided(choices, comparison, releases)
    show_saved(path, save_profile(path, choices, previous, machine_name(facts)), choices)


def _measuring(
    choices: "Choices", edits: "Mapping[str, Value]", steps: int, *, watch_memory: bool
) -> "Callable[[Candidate], Measurement]":
    """Measures a candidate, with all other settings as for rendering."""
    from mpsdoctor.facts.command import run
    from mpsdoctor.profile.choice import settings_of
    from mpsdoctor.tuning.measure import measure_settings

    settings = settings_of(choices, edits)

    def measure(candidate: "Candidate") -> "Measurement":
        with output.busy(f"Measuring {candidate} …"):
            asked = settings | dict(candidate.settings)
            return measure_settings(asked, steps, run, watch_memory=watch_memory)

    return measure


def _decided(choices: "Choices", comparison: "Comparison", releases: str) -> "Choices":
    """The choices of the faster candidate or, if the current ones failed, of the first to work."""
    from mpsdoctor.tuning import figures
    from mpsdoctor.tuning.candidates import current, with_measured, with_no_difference

    chosen = comparison.fastest or comparison.reference
    lines = (figures.line(comparison, candidate) for candidate in comparison.candidates)
    reason = f"{figures.verdict(comparison)}. {'; '.join(lines)}."
    if chosen is None or chosen == current(choices):
        return with_no_difference(choices, reason, releases)
    return with_measured(choices, chosen, reason, releases)


def _failed(comparison: "Comparison") -> MpsDoctorError:
    reference = comparison.reference
    if reference is None:
        title, detail = "None of the measured settings gave a picture", ""
        measured = [one for done in comparison.rounds for one in done.values()]
    else:
        title = f"{reference} failed twice after it had worked"
        detail = f"{comparison.problem(reference)}. "
        measured = comparison.measurements(reference)
    hint = "`mpsdoctor check` looks for known faults."
    if any(one.short_of_memory for one in measured):
        title += " with enough memory" if reference is None else ""
        hint = "Close other programs, or choose a smaller size or model: `mpsdoctor plan`."
    return MpsDoctorError(title, detail=f"{detail}The profile is unchanged.", hint=hint)
