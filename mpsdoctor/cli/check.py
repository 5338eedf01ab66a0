"""`mpsdoctor check`: examine, report, write the profile."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.options import profile_option, profile_path
from mpsdoctor.constants import EMBEDDED_MODEL, ExitCode

if TYPE_CHECKING:
    from mpsdoctor.checks.model import Report
    from mpsdoctor.facts.model import Facts
    from mpsdoctor.profile.choice import Choices


@click.command("check")
@click.option(
    "--model",
    metavar="MODEL",
    help="A Hugging Face model id or a folder to tune for.  [default: the profile's]",
)
@click.option("-v", "--verbose", is_flag=True, help="Show every check, also those that passed.")
@profile_option
def command(model: str | None, verbose: bool, profile: Path | None) -> ExitCode:
    """Examine this machine and write its profile.

    Says what is wrong in words that you can act on.

    `mpsdoctor doctor` is the same command.
    """
    report = examine_machine(verbose)
    write_profile(report.facts, model, profile_path(profile))
    return report.exit_code


def examine_machine(verbose: bool = False) -> "Report":
    """Collects the facts, runs every check and shows the report."""
    from mpsdoctor.checks.runner import examine
    from mpsdoctor.facts.collect import collect
    from mpsdoctor.reports.text import render

    report = examine(collect())
    output.show(render(report, verbose, width=output.width()))
    return report


def write_profile(facts: "Facts", model: str | None, path: Path) -> None:
    """Tunes for the model and writes the profile; the user's own edits stay.

    Raises MpsDoctorError, and leaves the file as it is, where the file is not understood.
    """
    from mpsdoctor.profile import document
    from mpsdoctor.profile.loading import load
    from mpsdoctor.profile.model import Profile
    from mpsdoctor.profile.saving import save

    previous = document.Document()
    if path.exists():
        load(Profile, path, {})
        previous = document.read(path.read_text("utf-8"))
    choices = tune_for(model or str(previous.values.get("model", EMBEDDED_MODEL)), facts)
    edits = {setting: value for setting, value in previous.edits.items() if setting != "model"}
    save(path, document.write(choices, edits))
    output.tell(f"Profile: {path}")
    for setting, value in edits.items():
        tuned = f"; tuned: {choices[setting].value}" if setting in choices else ""
        output.tell(f"  kept your own {setting} = {value}{tuned}")


def tune_for(model: str, facts: "Facts") -> "Choices":
    """The tuned settings for a model; one that is not on this disk is said to be missing."""
    from mpsdoctor.paths import expand, model_snapshot
    from mpsdoctor.resources import embedded_model
    from mpsdoctor.tuning.needs import needs_of
    from mpsdoctor.tuning.rules import tune

    if model == EMBEDDED_MODEL:
        return tune(facts, needs_of(model, embedded_model()))
    local = expand(model)
    if local.is_dir():
        return tune(facts, needs_of(str(local), local))
    snapshot = model_snapshot(model, os.environ)
    if snapshot is None:
        output.tell(f"{model} is not on this machine yet. To download it: hf download {model}")
    return tune(facts, needs_of(model, snapshot))
