"""From facts to the profile on disk."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mpsdoctor.cli import output
from mpsdoctor.constants import EMBEDDED_MODEL

if TYPE_CHECKING:
    from mpsdoctor.facts.model import Facts
    from mpsdoctor.profile.choice import Choices


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
    from mpsdoctor.facts import model_files
    from mpsdoctor.paths import expand
    from mpsdoctor.tuning.needs import needs_of
    from mpsdoctor.tuning.rules import tune

    if expand(model).is_dir() and model != EMBEDDED_MODEL:
        model = str(expand(model))
    folder = model_files.folder(model, os.environ, expand("~"))
    if folder is None:
        output.tell(f"{model} is not on this machine yet. To download it: hf download {model}")
    return tune(facts, needs_of(model, folder))
