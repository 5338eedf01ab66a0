"""The profile as a TOML file that a person can read and edit.

Each value stands under its reason and before a comment with the value that was tuned:

    # Half the memory of float32. (rule: dtype; facts: device mps; diffusers docs: optimization/mps)
    dtype = "float16"  # tuned: "float16"

A value that differs from its comment, or has none, was edited by hand and outlives a re-check.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError
from tomlkit.items import Comment, Whitespace

from mpsdoctor.constants import PROFILE_SCHEMA
from mpsdoctor.profile.choice import ENVIRONMENT, Choice, Choices, Value

HEADER = """\
# mpsdoctor's settings for this machine, each with its reason.
# Edit what you like: `mpsdoctor check` keeps a value that differs from its "tuned" comment.
"""

_TUNED = "# tuned: "
_NOT_SET = "not set"
_WIDTH = 98
_EXPLAINED = re.compile(r"(.*) \(rule: ([^;]*?)(?:; facts: ([^;]*?))?(?:; (.*))?\)")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What TOML forbids in a comment, and what ends a line."""


@dataclass(frozen=True)
class Document:
    """A profile file's values, the values that were tuned, and the reasons, by setting name."""

    values: Mapping[str, Value] = field(default_factory=dict)
    tuned: Mapping[str, Value] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def edits(self) -> dict[str, Value]:
        """The values that were changed or added by hand."""
        return {
            name: value
            for name, value in self.values.items()
            if name not in self.tuned or self.tuned[name] != value
        }


@dataclass(frozen=True)
class Explanation:
    """What stands above a value, in its parts; what a person wrote there is all reason."""

    reason: str
    rule: str = ""
    facts: str = ""
    sources: tuple[str, ...] = ()


def explanation(text: str) -> Explanation:
    """Of a reason as `read` gives it."""
    parts = _EXPLAINED.fullmatch(text)
    if parts is None:
        return Explanation(text)
    reason, rule, facts, sources = parts.groups(default="")
    return Explanation(reason, rule, facts, tuple(filter(None, sources.split("; "))))


def write(choices: Choices, edits: Mapping[str, Value]) -> str:
    """The file's text; `edits` are the user's own values, which stand beside what was tuned."""
    entries = {name: _entry(name, choice, edits) for name, choice in choices.items()}
    entries |= {
        name: f"{_key(name)} = {_toml(value)}\n"
        for name, value in edits.items()
        if name not in choices
    }
    settings = [text for name, text in entries.items() if not name.startswith(ENVIRONMENT)]
    environment = [text for name, text in entries.items() if name.startswith(ENVIRONMENT)]
    parts = [HEADER, f"schema_version = {PROFILE_SCHEMA}\n", *settings]
    if environment:
        parts += ["[environment]\n", *environment]
    return "\n".join(parts)


def read(text: str) -> Document:
    """The file's parts; `text` is a profile that `mpsdoctor.profile.loading.load` accepts."""
    values: dict[str, Value] = {}
    tuned: dict[str, Value] = {}
    reasons: dict[str, str] = {}
    for name, value, comment, reason in _entries(tomlkit.parse(text).body, prefix=""):
        if name == "schema_version":
            continue
        reasons[name] = reason
        if value is not None:
            values[name] = value
        if comment.startswith(_TUNED):
            tuned[name] = _parse_value(comment.removeprefix(_TUNED))
    return Document(values, tuned, reasons)


def _entry(name: str, choice: Choice, edits: Mapping[str, Value]) -> str:
    facts = [f"facts: {', '.join(choice.facts)}"] if choice.facts else []
    evidence = "; ".join((f"rule: {choice.rule}", *facts, *choice.sources))
    text = _UNPRINTABLE.sub(" ", f"{choice.reason} ({evidence})")
    reason = textwrap.wrap(text, _WIDTH, break_on_hyphens=False)
    value = edits.get(name, choice.value)
    line = f"# {_key(name)} is not set" if value is None else f"{_key(name)} = {_toml(value)}"
    comments = "".join(f"# {text}\n" for text in reason)
    return f"{comments}{line}  {_TUNED}{_toml(choice.value)}\n"


def _key(name: str) -> str:
    return name.removeprefix(ENVIRONMENT)


def _toml(value: Value) -> str:
    return _NOT_SET if value is None else tomlkit.item(value).as_string()


def _parse_value(text: str) -> Value:
    if text == _NOT_SET:
        return None
    try:
        value: Value = tomlkit.value(text).unwrap()
    except ParseError:
        return None
    return value


def _entries(body: Iterable[tuple[Any, Any]], prefix: str) -> Iterator[tuple[str, Value, str, str]]:
    """Name, value, trailing comment and reason of each setting, also of those not set."""
    above: list[str] = []
    for key, item in body:
        if isinstance(item, Whitespace):
            above = []
        elif isinstance(item, Comment):
            text = item.trivia.comment.removeprefix("# ")
            name, separator, rest = text.partition(" is not set  ")
            if separator:
                yield prefix + name, None, rest, " ".join(above)
            else:
                above.append(text)
        elif key is not None and key.key == "environment" and not prefix:
            yield from _entries(item.value.body, ENVIRONMENT)
        elif key is not None:
            yield prefix + key.key, item.unwrap(), item.trivia.comment, " ".join(above)
            above = []
