"""Removes private data about the owner from anything that is written as JSON."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from mpsdoctor.records import Record

R = TypeVar("R", bound=Record)

_PATTERNS = (
    (re.compile(r"(/(?:Users|home)/)[^/\s:'\"]+"), r"\1USER"),
    (re.compile(r"(/private)?/var/folders/[^/\s]+/[^/\s]+"), "/var/folders/USER"),
    (re.compile(r"\b(hf_|ghp_|github_pat_|sk-|xox[abp]-)[A-Za-z0-9_-]{8,}"), r"\1TOKEN"),
    (re.compile(r"(://)[^/\s:@]+:[^/\s@]+@"), r"\1USER:PASSWORD@"),
    (re.compile(r"(?i)(serial(?: number)?(?: \(system\))?\W{1,4})[A-Z0-9]{8,}"), r"\1SERIAL"),
    (
        re.compile(r"\b[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}\b", re.IGNORECASE),
        "UUID",
    ),
)


@dataclass(frozen=True)
class Owner:
    """Names that identify this machine's owner; empty ones are ignored."""

    home: str = ""
    user: str = ""
    host: str = ""


def redact(record: R, owner: Owner) -> R:
    """The same record, with home, user and host names, serial numbers and tokens replaced."""
    content = _walk(msgspec.to_builtins(record), lambda text: redact_text(text, owner))
    return msgspec.convert(content, type(record))


def redact_text(text: str, owner: Owner) -> str:
    """`text` with the owner's home as `~`, and a placeholder for every name and secret."""
    if len(owner.home) > 1:
        text = re.sub(rf"{re.escape(owner.home)}(?=/|$|[^\w.-])", "~", text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    for name, replacement in ((owner.user, "USER"), (owner.host, "HOST")):
        if len(name) > 2:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", replacement, text)
    return text


def _walk(value: object, change: Callable[[str], str]) -> object:
    """`value` with every text changed, except keys: field names, packages and variables."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, (list, tuple)):
        return [_walk(entry, change) for entry in value]
    if isinstance(value, dict):
        return {key: _walk(entry, change) for key, entry in value.items()}
    return value
