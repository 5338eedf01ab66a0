"""Reading and writing the profile file, whole or not at all."""

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
    """What the file holds now.

    `changed` are the settings that had another value before, `kept` the user's own values.
    `left_out` are those that were for the model before; `aside` is then where the file before lies.
    """

    model: str
    changed: tuple[Difference, ...]
    kept: Mapping[str, Value]
    left_out: Mapping[str, Value]
    aside: Path | None


def read_document(path: Path) -> Document:
    """The profile's file; an empty one where there is none.

    Raises MpsDoctorError where it is not understood.
    """
    return understood(path) if path.exists() else Document()


def understood(path: Path) -> Document:
    """A profile's file. Raises MpsDoctorError where it is absent or not understood."""
    load(Profile, path, {})
    return document.read(path.read_text("utf-8"))


def save_profile(path: Path, choices: Choices, previous: Document, machine: str) -> SavedProfile:
    """Writes what was tuned for `machine`, and the user's own values over it.

    Where some of those were for another model, the file before is set aside, so that they are not
    lost. Raises MpsDoctorError where the folder cannot be written to.
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
    """Replaces `path` atomically, or what it links to; the old file stays where writing fails.

    Raises MpsDoctorError where the folder cannot be written to.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, text.encode())
    except OSError as error:
        raise MpsDoctorError(
            "The profile cannot be written",
            detail=str(error),
            hint=f"Make {target.parent} writable, or name another place with --profile FILE.",
        ) from error


def _set_aside(path: Path) -> Path:
    """A copy of the file beside it, under a name that is free."""
    names = numbered_names(f"{path.stem}-before", path.suffix)
    aside = next(path.with_name(name) for name in names if not os.path.lexists(path.parent / name))
    save(aside, path.read_text("utf-8"))
    return aside
