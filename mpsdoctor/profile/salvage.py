"""What is still understood of a profile that, as a whole, is not."""

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

# Two letters in the wrong order, in a word of five, are alike by 0.8.
_ALIKE = 0.8
_SETTINGS = [name for name in Profile.model_fields if name != "schema_version"]


@dataclass(frozen=True)
class Salvage:
    """A profile's model and hand edits, as far as they are understood.

    `renamed` maps a misspelt key to the setting that it must mean. `left_out` are the lines and
    values, as they were written, that nobody understands.
    """

    model: str | None
    edits: Mapping[str, Value]
    renamed: Mapping[str, str]
    left_out: tuple[str, ...]


def salvage(data: bytes) -> Salvage:
    """Of a file of any content; nothing is raised."""
    text, left_out = _toml(data)
    previous = document.read(text)
    edits: dict[str, Value] = {}
    renamed: dict[str, str] = {}
    for written, setting, value in sorted(_settings(previous.edits), key=_misspelt):
        if setting and setting in previous.recorded and previous.recorded[setting] == value:
            continue  # what was tuned, under a misspelt key
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
    """The lines that make TOML together, and the others.

    A value over several lines is tried as a whole as long as no line after it stands alone. The
    record of what was tuned comes first, so that it is in no such value.
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
    if "\N{REPLACEMENT CHARACTER}" in text:  # what is no UTF-8 is no TOML
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
    """Each key as it was written, the setting that it means, and the value."""
    for written, value in edits.items():
        setting = _setting(written)
        if setting == "environment" and isinstance(value, dict):
            for variable, content in value.items():
                yield f"{written}.{variable}", ENVIRONMENT + variable, content
        else:
            yield written, setting, value


def _setting(written: str) -> str | None:
    """A setting that is the only one of so similar a name."""
    if written in _SETTINGS or written.startswith(ENVIRONMENT):
        return written
    like = difflib.get_close_matches(written, _SETTINGS, n=2, cutoff=_ALIKE)
    return like[0] if len(like) == 1 else None


def _assignment(written: str, value: object) -> str:
    shown = json.dumps(value, default=str, ensure_ascii=False)
    return f"{written.removeprefix(ENVIRONMENT)} = {shown}"


def _misspelt(entry: tuple[str, str | None, Value]) -> bool:
    """The order in which keys have their say: a setting's own name comes first."""
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
