"""The tuned values, in comments of the profile's file; a value that differs was set by hand.

Each line is independent, so that moving or losing one does not affect the others. There are no
spaces around `=`, so that replacing `dtype = "float16"` everywhere does not change the record.

    # Tuned: device="mps", dtype="float16"
    # Measured with torch 2.13.0, diffusers 0.42.1: attention="native", attention_budget={}
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import tomlkit
from tomlkit.exceptions import TOMLKitError

from mpsdoctor.profile import toml
from mpsdoctor.profile.choice import MEASURED_WITH, Choice, Choices, Value

_TUNED = "Tuned"
_NOT_SET = "{}"
"""Stands for None, which TOML lacks; no setting is an empty table."""

_LINE = re.compile(rf"# ({_TUNED}|{MEASURED_WITH}.*?): (.+)")


@dataclass(frozen=True)
class Record:
    """The tuned values by setting name, and the reasons of the measured ones."""

    values: dict[str, Value] = field(default_factory=dict)
    measured: dict[str, str] = field(default_factory=dict)


def write(choices: Choices) -> Iterator[str]:
    """The comment lines. Values that are not set are omitted, unless that was measured."""
    entries: dict[str, list[str]] = {}
    for name, choice in choices.items():
        title = toml.comment(choice.short) if choice.is_measured else _TUNED
        if choice.value is not None or choice.is_measured:
            entries.setdefault(title, []).append(f"{toml.key(name)}={_value(choice)}")
    for title, assignments in entries.items():
        yield from _filled(f"# {title}: ", assignments)


def read(text: str) -> Record | None:
    """The record; None if the file has no such line. Lines that are not understood are ignored."""
    found = [match for match in map(_match, text.split("\n")) if match]
    record = Record()
    for match in found:
        title, assignments = match.groups()
        values = _parse(assignments)
        record.values.update(values)
        if title != _TUNED:
            record.measured.update(dict.fromkeys(values, title))
    return record if found else None


def is_line(text: str) -> bool:
    """Whether a line of the file belongs to the record."""
    return _match(text) is not None


def _match(line: str) -> re.Match[str] | None:
    return _LINE.fullmatch(line.strip())


def _value(choice: Choice) -> str:
    return _NOT_SET if choice.value is None else toml.value(choice.value)


def _filled(start: str, assignments: Iterable[str]) -> Iterator[str]:
    """The fewest lines within the width; an assignment is never split."""
    line = ""
    for assignment in assignments:
        longer = f"{line}, {assignment}" if line else f"{start}{assignment}"
        if line and len(longer) > toml.WIDTH:
            yield line
            longer = f"{start}{assignment}"
        line = longer
    if line:
        yield line


def _parse(assignments: str) -> dict[str, Value]:
    try:
        values = tomlkit.parse(f"values = {{{assignments}}}").unwrap()["values"]
    except TOMLKitError:
        return {}
    return {name: None if one == {} else one for name, one in toml.flat(values).items()}
