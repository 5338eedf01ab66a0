"""Keys, values and comments of the profile as TOML writes them."""

import re
import textwrap
from collections.abc import Mapping
from typing import Any, Final

import tomlkit

from mpsdoctor.profile.choice import ENVIRONMENT, Value

WIDTH: Final = 99
"""Columns that a line should not exceed; a long value may."""

_NOT_SET = "not set"
_CUT = " …"
_NOT_IN_COMMENTS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What TOML forbids in a comment, and what some programs take for the end of a line."""


def key(name: str) -> str:
    """Of a setting, or a dotted one of an environment variable."""
    if not name.startswith(ENVIRONMENT):
        return name
    return tomlkit.key((ENVIRONMENT[:-1], name.removeprefix(ENVIRONMENT))).as_string()


def value(content: Value) -> str:
    """As TOML, which has no None: `not set`."""
    return _NOT_SET if content is None else tomlkit.item(content).as_string()


def comment(text: str) -> str:
    """The text without what cannot stand in a comment."""
    return _NOT_IN_COMMENTS.sub(" ", text)


def line(name: str, content: Value, reason: str = "") -> str:
    """An assignment with as much of the reason behind it as fits."""
    assignment = f"{key(name)} = {value(content)}"
    room = WIDTH - len(f"{assignment}  # ")
    if room <= len(_CUT) or not reason:
        return assignment
    return f"{assignment}  # {textwrap.shorten(comment(reason), room, placeholder=_CUT)}"


def flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by name, where each environment variable is one: `environment.PYTORCH_…`."""
    rest = dict(settings)
    variables = rest.pop("environment", {})
    if not isinstance(variables, Mapping):
        return dict(settings)
    return rest | {ENVIRONMENT + name: content for name, content in variables.items()}
