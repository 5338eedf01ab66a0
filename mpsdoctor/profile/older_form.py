"""The older form of the profile's file, in which each value had several lines.

The reason with its evidence was above each value, and the tuned value after it:

    # Half the memory of float32. (rule: dtype; facts: device mps; diffusers docs: optimization/mps)
    dtype = "float16"  # tuned: "float16"
    # width is not set  # tuned: not set
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Comment, Whitespace

from mpsdoctor.profile.choice import ENVIRONMENT, MEASURED_WITH, Value
from mpsdoctor.profile.record import Record

_TUNED = "# tuned: "
_EVIDENCE = re.compile(r" \(rule: ([^;]*?)(?:; facts: ([^;]*?))?(?:; .*)?\)$")


class _Line(NamedTuple):
    name: str
    behind: str
    above: str


def read(text: str) -> tuple[Record, dict[str, str]]:
    """The tuned values, and the reasons by setting name; `text` is TOML."""
    lines = list(_lines(tomlkit.parse(text).body, prefix=""))
    evidence = {line.name: _EVIDENCE.search(line.above) for line in lines}
    record = Record(
        values={
            line.name: _parse(line.behind.removeprefix(_TUNED))
            for line in lines
            if line.behind.startswith(_TUNED)
        },
        measured={
            name: f"{MEASURED_WITH}{found[2]}"
            for name, found in evidence.items()
            if found and found[1] == "measured"
        },
    )
    return record, {line.name: _EVIDENCE.sub("", line.above) for line in lines}


def _lines(body: Iterable[tuple[Any, Any]], prefix: str) -> Iterator[_Line]:
    """One for each setting, including those that are not set."""
    above: list[str] = []
    for key, item in body:
        if isinstance(item, Whitespace):
            above = []
        elif isinstance(item, Comment):
            text = item.trivia.comment.removeprefix("# ")
            name, separator, behind = text.partition(" is not set  ")
            if separator:
                yield _Line(prefix + name, behind, " ".join(above))
                above = []
            else:
                above.append(text)
        elif key is not None and key.key == "environment" and not prefix:
            yield from _lines(item.value.body, ENVIRONMENT)
        elif key is not None:
            yield _Line(prefix + key.key, item.trivia.comment, " ".join(above))
            above = []


def _parse(text: str) -> Value:
    """The value; None if it is `not set` or damaged."""
    try:
        value: Value = tomlkit.value(text).unwrap()
    except TOMLKitError:
        return None
    return value
