"""Reads and writes the profile file, completely or not at all."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.files import numbered_names, write_atomically
from mpsdoctor.profile import document
from mpsdoctor.profile.choice import Choices, Difference, Value, differences
from mpsdoctor.profile.document import Document
from mpsdoctor.profile.loading import load
from mpsdoctor.profile.settings import Profile


@dataclass(frozen=True)
class SavedProfile:
    """The content of the file after saving.

    `changed` has the settings whose value has changed, `kept` the user's own values. `left_out` has
    the user's values for the previous model; `aside` is then the path of the previous file.
    """

    model: str
    changed: tuple[Difference, ...]
    kept: Mapping[str, Value]
    left_out: Mapping[str, Value]
    aside: Path | None


def read_document(path: Path) -> Document:
    """The profile's file; empty if there is none.

    Raises MpsDoctorError if it is not understood.
    """
    return understood(path) if path.exists() else Document()


def understood(path: Path) -> Document:
    """A profile's file. Raises MpsDoctorError if it is absent or not understood."""
    load(Profile, path, {})
    return document.read(path.read_text("utf-8"))


def save_profile(path: Path, choices: Choices, previous: Document, machine: str) -> SavedProfile:
    """Writes the values tuned for `machine`, overridden by the user's own.

    If some of these were for another model, the previous file is kept beside it, so that they are
    not lost. Raises MpsDoctorError if the folder cannot be written to.
    """
    model = str(choices["model"].value)
    edits = previous.edits_for(model)
    left_out = {
        name: value
        for name, value in previous.edits.items()
        if name not in edits and name != "model"
    }
    text = document.write(choices, edits, machine)
    aside = _set_aside(path) if left_out else None
    save(path, text)
    changed = differences(previous.values, document.read(text).values)
    return SavedProfile(
        model=model,
        changed=tuple(changed) if previous.written else (),
        kept=edits,
        left_out=left_out,
        aside=aside,
    )


def save(path: Path, text: str) -> None:
    """Replaces `path`, or the file it links to, atomically; if writing fails, the old file stays.

    Raises MpsDoctorError if the folder cannot be written to.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, text.encode())
    except OSError as error:
        raise MpsDoctorError(
            "The profile cannot be written",
            detail=str(error),
            hint=f"Make {target.parent} writable, or choose another file with --profile FILE.",
        ) from error


def _set_aside(path: Path) -> Path:
    """Copies the file to an unused name beside it."""
    names = numbered_names(f"{path.stem}-before", path.suffix)
    aside = next(path.with_name(name) for name in names if not os.path.lexists(path.parent / name))
    save(aside, path.read_text("utf-8"))
    return aside
