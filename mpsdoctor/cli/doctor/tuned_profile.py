"""Tunes from the facts of a check, writes the profile, and tells the user what changed."""

from pathlib import Path

from mpsdoctor.cli import output
from mpsdoctor.cli.host import host
from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.facts.records import Facts
from mpsdoctor.profile.choice import Choices, shown
from mpsdoctor.profile.document import Document
from mpsdoctor.profile.saving import SavedProfile, read_document, save_profile
from mpsdoctor.tuning.candidates import kept, made_with
from mpsdoctor.tuning.for_model import TunedModel, tune_for
from mpsdoctor.tuning.machine import keep_facts
from mpsdoctor.tuning.machine_name import machine_name
from mpsdoctor.units import gib


def update_profile(facts: Facts, model: str | None, path: Path) -> None:
    """Writes the profile, unless the existing one is invalid; then says so."""
    if facts.profile and facts.profile.problem:
        output.tell(f"The profile is unchanged. {facts.profile.problem}")
    else:
        write_profile(facts, model, path)


def write_profile(facts: Facts, model: str | None, path: Path) -> None:
    """Tunes for the model and writes the profile; keeps the user's own edits.

    Also keeps what `mpsdoctor tune` measured for the same model with the same releases. The facts
    are saved beside the profile, for settings of other models.

    Raises MpsDoctorError, and leaves the file unchanged, if the existing profile is invalid.
    """
    previous = read_document(path)
    tuned = tune_with_edits(model or previous.model, facts, previous)
    show_fit(tuned)
    choices = with_measurements(tuned.choices, facts, previous)
    saved = save_profile(path, choices, previous, machine_name(facts))
    keep_facts(path, facts, host())
    show_saved(path, saved, tuned.choices)


def tune_with_edits(model: str, facts: Facts, previous: Document) -> TunedModel:
    """The settings for a model; the rules know the device that the user set by hand."""
    device = previous.edits_for(model).get("device")
    return tune_for(model, facts, host(), device=str(device) if device else None)


def with_measurements(choices: Choices, facts: Facts, previous: Document) -> Choices:
    """The choices, with what the previous profile has of measurements for the same model."""
    model, device = str(choices["model"].value), choices["device"].value
    by_hand = previous.edits_for(model).get("device", device)
    if model != previous.tuned_model or device != by_hand:
        return choices
    return kept(choices, previous.tuned, previous.reasons, made_with(facts))


def show_fit(tuned: TunedModel) -> None:
    """Says so if a model is too large, or not on this disk yet."""
    model, fit = tuned.needs.model, tuned.fit
    if fit and not fit.fits:
        takes, missing = gib(fit.outcome.peak_bytes), gib(fit.outcome.missing_bytes)
        output.tell(
            f"{model} does not fit in this Mac's memory: it takes {takes}, {missing} too much. "
            f"To see what would fit: mpsdoctor plan {model}"
        )
    elif tuned.folder is None:
        output.tell(f"{model} is not on this machine yet. To download it: mpsdoctor pull {model}")


def show_saved(path: Path, saved: SavedProfile, choices: Choices) -> None:
    """Says what has changed in the profile, and what was kept."""
    output.tell(f"Profile: {path}")
    output.tell(f"Model: {_described(saved.model)}")
    if saved.changed:
        changes = (
            f"{one.setting} {shown(one.ours)} -> {shown(one.theirs)}" for one in saved.changed
        )
        output.tell(f"Changed: {'; '.join(changes)}")
    for setting, value in saved.kept.items():
        if setting in choices and choices[setting].value == value:
            continue
        tuned = f"; tuned: {choices[setting].value}" if setting in choices else ""
        output.tell(f"  kept your own {setting} = {value}{tuned}")
    for setting, value in saved.left_out.items():
        output.tell(f"  left out your own {setting} = {value}: it was for the previous model")
    if saved.aside:
        output.tell(f"Previous profile: {saved.aside}")


def _described(model: str) -> str:
    if model == EMBEDDED_MODEL:
        return f"{model}, which draws simple shapes. For another: mpsdoctor check --model ID"
    return model
