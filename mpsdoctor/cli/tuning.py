"""From facts to the profile on disk."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mpsdoctor.cli import output
from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.units import gib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mpsdoctor.facts.records import Facts
    from mpsdoctor.planning.configs import Configs
    from mpsdoctor.planning.footprint import Footprint
    from mpsdoctor.profile.choice import Choices, Value
    from mpsdoctor.profile.document import Document
    from mpsdoctor.tuning.needs import Needs


def update_profile(facts: "Facts", model: str | None, path: Path) -> None:
    """Writes the profile, where the one that is there is understood; says so where it is not."""
    if facts.profile and facts.profile.problem:
        output.tell(f"The profile stays as it is. {facts.profile.problem}")
    else:
        write_profile(facts, model, path)


def write_profile(facts: "Facts", model: str | None, path: Path) -> None:
    """Tunes for the model and writes the profile; the user's own edits stay.

    So does what `mpsdoctor tune` measured for the same model with the same releases.

    Raises MpsDoctorError, and leaves the file as it is, where the file is not understood.
    """
    from mpsdoctor.tuning.candidates import kept
    from mpsdoctor.tuning.machine_name import machine_name

    previous = read_document(path)
    before = str(previous.values["model"])
    choices = tune_for(model or before, facts)
    if choices["model"].value == before:
        choices = kept(choices, previous.tuned, previous.reasons, made_with(facts))
    save_profile(path, choices, previous, machine_name(facts))


def read_document(path: Path) -> "Document":
    """The profile's file; an empty one where there is none.

    Raises MpsDoctorError where it is not understood.
    """
    from mpsdoctor.profile.document import Document

    return understood(path) if path.exists() else Document()


def understood(path: Path) -> "Document":
    """A profile's file. Raises MpsDoctorError where it is absent or not understood."""
    from mpsdoctor.profile import document
    from mpsdoctor.profile.loading import load
    from mpsdoctor.profile.settings import Profile

    load(Profile, path, {})
    return document.read(path.read_text("utf-8"))


def edits_of(previous: "Document") -> "dict[str, Value]":
    """The user's own values; the model is chosen anew each time."""
    return {setting: value for setting, value in previous.edits.items() if setting != "model"}


def save_profile(path: Path, choices: "Choices", previous: "Document", machine: str) -> None:
    """Writes what was tuned for `machine`, with the user's own values; says what changed."""
    from mpsdoctor.profile import document
    from mpsdoctor.profile.saving import save

    edits = edits_of(previous)
    text = document.write(choices, edits, machine)
    save(path, text)
    output.tell(f"Profile: {path}")
    output.tell(f"Model: {_described(choices['model'].value)}")
    if changes := "; ".join(_changes(previous, document.read(text))):
        output.tell(f"Changed: {changes}")
    for setting, value in edits.items():
        tuned = f"; tuned: {choices[setting].value}" if setting in choices else ""
        output.tell(f"  kept your own {setting} = {value}{tuned}")


def _described(model: "Value") -> str:
    if model == EMBEDDED_MODEL:
        return f"{model}, which draws simple shapes; yours: mpsdoctor check --model ID"
    return str(model)


def _changes(previous: "Document", saved: "Document") -> "Iterator[str]":
    """What is in force now and was not; the first profile is all new."""
    from mpsdoctor.cli.display.profile_settings import shown
    from mpsdoctor.profile.choice import differences

    if previous.written:
        for one in differences(previous.values, saved.values):
            yield f"{one.setting} {shown(one.ours)} -> {shown(one.theirs)}"


def made_with(facts: "Facts") -> str:
    """What a measurement holds for; with other releases it can be otherwise."""
    versions = facts.packages or {}
    names = ("torch", "diffusers")
    return ", ".join(f"{name} {versions[name]}" for name in names if name in versions)


def tune_for(model: str, facts: "Facts") -> "Choices":
    """The tuned settings for a model; one that is too large, or not on this disk, is said to be."""
    from mpsdoctor.tuning.context import Context
    from mpsdoctor.tuning.needs import needs_of
    from mpsdoctor.tuning.rules import tune

    name, folder = _find(model)
    configs = _configs(name, folder)
    needs = needs_of(name, configs)
    needs = replace(needs, footprints=_footprints(needs, configs, facts))
    fit = Context(facts, needs).fit
    if fit and not fit.fits:
        takes, missing = gib(fit.outcome.peak_bytes), gib(fit.outcome.missing_bytes)
        output.tell(
            f"{model} does not fit in this Mac's memory: it takes {takes}, {missing} too much. "
            f"What would help: mpsdoctor plan {model}"
        )
    elif folder is None:
        output.tell(f"{model} is not on this machine yet. To download it: mpsdoctor pull {model}")
    return tune(facts, needs)


def known_needs(model: str) -> "Needs":
    """What the config files of a model say."""
    from mpsdoctor.tuning.needs import needs_of

    name, folder = _find(model)
    return needs_of(name, _configs(name, folder))


def _find(model: str) -> tuple[str, Path | None]:
    """The name of a model in a profile, and where it lies on this disk."""
    from mpsdoctor.facts import model_files
    from mpsdoctor.paths import expand

    if expand(model).is_dir() and model != EMBEDDED_MODEL:
        model = str(expand(model))
    return model, model_files.folder(model, os.environ, expand("~"))


def _configs(model: str, folder: Path | None) -> "Configs | None":
    """Those on this disk, else those that ship for a common model."""
    from mpsdoctor.planning import catalogue
    from mpsdoctor.planning.configs import read_folder

    if folder is not None:
        with suppress(MpsDoctorError):
            return read_folder(model, folder)
    return catalogue.find(model)


def _footprints(
    needs: "Needs", configs: "Configs | None", facts: "Facts"
) -> "tuple[Footprint, ...]":
    """What ships for the model, else what a trace finds, which is kept for the next time."""
    from mpsdoctor.facts.command import run
    from mpsdoctor.paths import plans_folder
    from mpsdoctor.planning import cache
    from mpsdoctor.planning.needs import of_configs, of_model
    from mpsdoctor.tuning.context import Context

    shipped = of_model(needs.model) or (of_configs(configs.key) if configs else None)
    if shipped is not None:
        return shipped.footprints
    context = Context(facts, needs)
    if configs is None or not context.on_mps:
        return ()
    sides = sorted({512, needs.side or 1024, 1024, 1536})
    with output.busy(f"Finding out what {needs.model} needs …"):
        try:
            return tuple(
                cache.footprints(
                    configs,
                    [(side, side) for side in sides],
                    context.precision.dtype,
                    plans_folder(),
                    run,
                )
            )
        except MpsDoctorError as error:
            output.tell(f"{error.title}: {error.detail} Its settings are chosen with caution.")
            return ()
