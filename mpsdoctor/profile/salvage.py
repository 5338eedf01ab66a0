"""Recovers the readable parts of a damaged profile."""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import tomlkit
from pydantic import ValidationError
from tomlkit.exceptions import TOMLKitError

from mpsdoctor.profile import document, record
from mpsdoctor.profile.choice import ENVIRONMENT, Value
from mpsdoctor.profile.settings import Profile

# Swapping two letters in a word of five leaves a similarity of 0.8.
_ALIKE = 0.8
_SETTINGS = [name for name in Profile.model_fields if name != "schema_version"]


@dataclass(frozen=True)
class Salvage:
    """A profile's model and hand edits, as far as they are understood.

    `renamed` maps a misspelled key to the setting that it must mean. `left_out` has the lines and
    values that are not understood, as they were written.
    """

    model: str | None
    edits: Mapping[str, Value]
    renamed: Mapping[str, str]
    left_out: tuple[str, ...]


def salvage(data: bytes) -> Salvage:
    """What can be recovered from a file with any content; nothing is raised."""
    text, left_out = _toml(data)
    previous = document.read(text)
    edits: dict[str, Value] = {}
    renamed: dict[str, str] = {}
    for written, setting, value in sorted(_settings(previous.edits), key=_misspelt):
        if setting and setting in previous.recorded and previous.recorded[setting] == value:
            continue  # a tuned value under a misspelled key
        if setting is None or setting in edits or not _is_understood(setting, value):
            left_out.append(_assignment(written, value))
            continue
        edits[setting] = value
        if setting != written:
            renamed[written] = setting
    model = edits.pop("model", previous.written.get("model"))
    return Salvage(
        model=str(model) if _is_understood("model", model) else None,
        edits=edits,
        renamed=renamed,
        left_out=tuple(left_out),
    )


def _toml(data: bytes) -> tuple[str, list[str]]:
    """The lines that together are valid TOML, and the others.

    Lines are collected until they are a value together, or until a later line is valid by itself.
    The record of tuned values comes first, so that it is never part of such a value.
    """
    kept, pending = "", ""
    left_out: list[str] = []
    lines = f"{data.decode('utf-8-sig', 'replace')}\n".splitlines(keepends=True)
    for line in sorted(lines, key=lambda one: not record.is_line(one)):
        if _is_toml(kept + pending + line):
            kept, pending = kept + pending + line, ""
        elif pending and _says_something(line) and _is_toml(kept + line):
            left_out += _lines(pending)
            kept, pending = kept + line, ""
        else:
            pending += line
    return kept, left_out + _lines(pending)


def _is_toml(text: str) -> bool:
    if "\N{REPLACEMENT CHARACTER}" in text:  # TOML must be UTF-8
        return False
    try:
        return isinstance(tomlkit.parse(text).get("environment", {}), dict)
    except TOMLKitError:
        return False


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if _says_something(line)]


def _settings(edits: Mapping[str, Value]) -> Iterator[tuple[str, str | None, Value]]:
    """Each key as written, the setting that it means, and the value."""
    for written, value in edits.items():
        setting = _setting(written)
        if setting == "environment" and isinstance(value, dict):
            for variable, content in value.items():
                yield f"{written}.{variable}", ENVIRONMENT + variable, content
        else:
            yield written, setting, value


def _setting(written: str) -> str | None:
    """The setting with this name, or the only one with a similar name."""
    if written in _SETTINGS or written.startswith(ENVIRONMENT):
        return written
    like = difflib.get_close_matches(written, _SETTINGS, n=2, cutoff=_ALIKE)
    return like[0] if len(like) == 1 else None


def _assignment(written: str, value: object) -> str:
    shown = json.dumps(value, default=str, ensure_ascii=False)
    return f"{written.removeprefix(ENVIRONMENT)} = {shown}"


def _misspelt(entry: tuple[str, str | None, Value]) -> bool:
    """A sort key: correctly spelled settings come first."""
    written, setting, _ = entry
    return written != setting


def _is_understood(setting: str, value: Value) -> bool:
    variable = setting.removeprefix(ENVIRONMENT)
    values = {setting: value} if variable == setting else {"environment": {variable: value}}
    try:
        Profile.model_validate(values)
    except ValidationError:
        return False
    return True
