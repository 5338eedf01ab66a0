"""The profile as a TOML file that a person can read and edit, on one screen.

A value that matters on this machine has a line with its reason; the others are listed together:

    dtype = "float16"  # Half the memory of float32

    # Left at their defaults: vae_tiling, prime

Comments at the end record what was tuned (`mpsdoctor.profile.record`). A value that is not in the
record, or differs from it, was set by hand and survives the next check. A setting whose line was
deleted is tuned again.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import tomlkit

from mpsdoctor.constants import PROFILE_SCHEMA
from mpsdoctor.paths import model_name
from mpsdoctor.profile import older_form, record, toml
from mpsdoctor.profile.choice import ENVIRONMENT, Choices, Value
from mpsdoctor.profile.settings import MODEL_SETTINGS, Profile

_HEADER = (
    "Edit any value: `mpsdoctor check` keeps it. A line that you delete is tuned again.",
    "To see the reason and the evidence for a value: `mpsdoctor profile show SETTING`.",
)
_MODELS = "# models = []  # Others that prompt files may name; each gets settings tuned for it"
_RECORD = "# With these lines `mpsdoctor check` recognizes the values that you have changed:"

_NOT_TUNED = ("schema_version", "environment")
_DEFAULTS: Final[Mapping[str, Value]] = {
    name: value
    for name, value in Profile().model_dump(exclude=set(_NOT_TUNED)).items()
    if value is not None
}
_ALWAYS_SHOWN = ("model", "device", "dtype", "attention")
_OF_THE_MACHINE = [
    name
    for name in Profile.model_fields
    if name not in (*MODEL_SETTINGS, *_NOT_TUNED, "model", "models")
]
"""The settings of the machine, without the environment variables."""


@dataclass(frozen=True)
class Document:
    """A profile file: its values, the tuned values in its record, and the reasons."""

    written: Mapping[str, Value] = field(default_factory=dict)
    recorded: Mapping[str, Value] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Value]:
        """The values in force by setting name, without those that are not set."""
        return {**_DEFAULTS, **self.written}

    @property
    def tuned(self) -> dict[str, Value]:
        """The values that would be in force without edits."""
        return {**_DEFAULTS, **self.recorded}

    @property
    def edits(self) -> dict[str, Value]:
        """The values that were changed or added by hand."""
        return {
            name: value
            for name, value in self.written.items()
            if name not in self.recorded or self.recorded[name] != value
        }

    @property
    def model(self) -> str:
        """The model that the file names."""
        return model_name(str(self.values["model"]))

    @property
    def tuned_model(self) -> str | None:
        """The model that the other values were tuned for; not the file's if that was edited.

        None if the record has lost it.
        """
        if not self.recorded:
            return self.model
        recorded = self.recorded.get("model")
        return model_name(str(recorded)) if recorded else None

    @property
    def deleted(self) -> dict[str, Value]:
        """The tuned values whose line was deleted."""
        return {
            name: value
            for name, value in self.recorded.items()
            if name not in self.written and _matters(name, value) and name != "model"
        }

    def edits_for(self, model: str) -> dict[str, Value]:
        """The user's own values that apply to `model`, without the model itself.

        Settings that do not belong to one model apply to all.
        """
        return {
            name: value
            for name, value in self.edits.items()
            if name != "model" and (model == self.model or name not in MODEL_SETTINGS)
        }


def write(choices: Choices, edits: Mapping[str, Value], machine: str) -> str:
    """The file's text.

    `edits` are the user's own values, which replace the tuned ones. `machine` describes the machine
    in a few words.
    """
    lines = dict(_lines(choices, edits))
    environment = [name for name in lines if name.startswith(ENVIRONMENT)]
    first = [name for name in _OF_THE_MACHINE if name in lines] + environment
    others = [name for name in lines if name not in first]
    models = [] if "models" in lines else [_MODELS]
    left = [name for name in Profile.model_fields if name not in (*lines, *_NOT_TUNED, "models")]
    sections: tuple[Iterable[str], ...] = (
        _wrapped(f"mpsdoctor's settings for {machine}.", *_HEADER),
        [f"schema_version = {PROFILE_SCHEMA}"],
        ["# For this machine", *(lines[name] for name in first)],
        ["# For this model", *(lines[name] for name in others), *models],
        _wrapped(f"Left at their defaults: {', '.join(left)}"),
        [_RECORD, *record.write(choices)],
    )
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def read(text: str) -> Document:
    """The file's parts; `text` is a profile that `mpsdoctor.profile.loading.load` accepts."""
    parsed = tomlkit.parse(text)
    written = toml.flat(parsed.unwrap())
    written.pop("schema_version", None)
    reasons = dict(_reasons(parsed.body))
    known = record.read(text)
    if known is None:
        known, reasons = older_form.read(text)
    return Document(written, known.values, {**reasons, **known.measured})


def _lines(choices: Choices, edits: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """The lines of the values that matter here, by setting name."""
    for name in dict.fromkeys((*choices, *edits)):
        choice = choices.get(name)
        if name in edits and (choice is None or choice.value != edits[name]):
            tuned = f"; tuned: {toml.value(choice.value)}" if choice else ""
            yield name, toml.line(name, edits[name], f"Set by hand{tuned}")
        elif choice and _matters(name, choice.value):
            yield name, toml.line(name, choice.value, choice.short)


def _matters(name: str, value: Value) -> bool:
    return value is not None and (name in _ALWAYS_SHOWN or value != _DEFAULTS.get(name))


def _wrapped(*paragraphs: str) -> list[str]:
    return [
        f"# {line}"
        for text in paragraphs
        for line in textwrap.wrap(toml.comment(text), toml.WIDTH - 2, break_on_hyphens=False)
    ]


def _reasons(body: Iterable[tuple[Any, Any]], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The comment after each value, by setting name."""
    for key, item in body:
        if key is None:
            continue
        if key.key == "environment" and not prefix:
            yield from _reasons(item.value.body, ENVIRONMENT)
        else:
            yield prefix + key.key, item.trivia.comment.removeprefix("#").strip()
