"""`mpsdoctor tune`: measure what the rules leave open, and change it only for what is faster."""

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
    help="Rounds at most. More of them find smaller differences.",
)
@click.option(
    "--steps",
    type=click.IntRange(3, 50),
    default=4,
    show_default=True,
    help="Steps of each picture.",
)
@profile_option
def command(model: str | None, rounds: int, steps: int, profile: Path | None) -> None:
    """Measure the settings that could be the fastest, and keep the one that is.

    Each round loads MODEL (default: the profile's) once with each setting and renders two short
    pictures, after a warm-up. The profile changes only for a setting that is shown to be at least
    3 % faster than the profile's, with 98 % confidence, and for which there was memory enough.

    One such measurement takes about half a minute with Stable Diffusion 1.5 on an M1, and one to
    two minutes with SDXL. Five settings that do not differ need 25 to 40 measurements, a setting
    that is 10 % faster 35 to 50. After each round you see how much is left at most; control-C
    leaves the profile as it is.
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
    # What was measured before counts: a new winner has to be faster than that.
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
    """Measures a candidate with the other settings as they are rendered with."""
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
    """Those of what is faster or, where the current ones failed, of the first that did not."""
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
        title, detail = "Nothing that was measured gave a picture", ""
        measured = [one for done in comparison.rounds for one in done.values()]
    else:
        title = f"{reference} failed twice, after it had worked"
        detail = f"{comparison.problem(reference)}. "
        measured = comparison.measurements(reference)
    hint = "`mpsdoctor check` looks for known faults."
    if any(one.short_of_memory for one in measured):
        title += " while there was memory enough" if reference is None else ""
        hint = "Close other programs, or choose a smaller size or model: `mpsdoctor plan`."
    return MpsDoctorError(title, detail=f"{detail}The profile stays as it is.", hint=hint)
