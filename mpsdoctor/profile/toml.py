"""Keys, values and comments of the profile as TOML writes them."""

import re
import textwrap
from collections.abc import Mapping
from typing import Any, Final

import tomlkit

from mpsdoctor.profile.choice import ENVIRONMENT, Value

WIDTH: Final = 99
"""The maximum width of a line; only a long value may exceed it."""

_NOT_SET = "not set"
_CUT = " …"
_NOT_IN_COMMENTS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters that TOML forbids in a comment, or that some programs treat as a line end."""


def key(name: str) -> str:
    """The key of a setting; an environment variable has a dotted key."""
    if not name.startswith(ENVIRONMENT):
        return name
    return tomlkit.key((ENVIRONMENT[:-1], name.removeprefix(ENVIRONMENT))).as_string()


def value(content: Value) -> str:
    """The value as TOML; None becomes `not set`."""
    return _NOT_SET if content is None else tomlkit.item(content).as_string()


def comment(text: str) -> str:
    """The text without characters that are not allowed in a comment."""
    return _NOT_IN_COMMENTS.sub(" ", text)


def line(name: str, content: Value, reason: str = "") -> str:
    """An assignment, followed by as much of the reason as fits."""
    assignment = f"{key(name)} = {value(content)}"
    room = WIDTH - len(f"{assignment}  # ")
    if room <= len(_CUT) or not reason:
        return assignment
    return f"{assignment}  # {textwrap.shorten(comment(reason), room, placeholder=_CUT)}"


def flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by name; each environment variable is a setting: `environment.PYTORCH_…`."""
    rest = dict(settings)
    variables = rest.pop("environment", {})
    if not isinstance(variables, Mapping):
        return dict(settings)
    return rest | {ENVIRONMENT + name: content for name, content in variables.items()}
