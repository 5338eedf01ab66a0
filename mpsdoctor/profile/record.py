"""What was tuned, in comments of the profile's file; what differs from it was set by hand.

Each line stands for itself, so that one that is moved or lost says nothing about the others.
There are no spaces around `=`: an editor that replaces `dtype = "float16"` everywhere leaves the
record as it is.

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
"""TOML has no None, and no setting is an empty table."""

_LINE = re.compile(rf"# ({_TUNED}|{MEASURED_WITH}.*?): (.+)")


@dataclass(frozen=True)
class Record:
    """The values that were tuned, by setting name, and the reasons of those that were measured."""

    values: dict[str, Value] = field(default_factory=dict)
    measured: dict[str, str] = field(default_factory=dict)


def write(choices: Choices) -> Iterator[str]:
    """Comment lines. Values that are not set are left out, unless that was measured."""
    entries: dict[str, list[str]] = {}
    for name, choice in choices.items():
        title = toml.comment(choice.short) if choice.is_measured else _TUNED
        if choice.value is not None or choice.is_measured:
            entries.setdefault(title, []).append(f"{toml.key(name)}={_value(choice)}")
    for title, assignments in entries.items():
        yield from _filled(f"# {title}: ", assignments)


def read(text: str) -> Record | None:
    """None where the file has no such line; a line that is not understood is ignored."""
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
    """Whether a line of the file is one of these."""
    return _match(text) is not None


def _match(line: str) -> re.Match[str] | None:
    return _LINE.fullmatch(line.strip())


def _value(choice: Choice) -> str:
    return _NOT_SET if choice.value is None else toml.value(choice.value)


def _filled(start: str, assignments: Iterable[str]) -> Iterator[str]:
    """Lines that are as long as they may be; an assignment is never divided."""
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
