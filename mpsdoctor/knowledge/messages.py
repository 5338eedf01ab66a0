"""What PyTorch's and Metal's messages mean to the user; the data is in messages.toml."""

import re
from functools import cache
from typing import Literal

from mpsdoctor.knowledge import data
from mpsdoctor.knowledge.data import Row
from mpsdoctor.records import Record

Cause = Literal["job", "memory", "gpu"]


class KnownMessage(Row):
    """A table of messages.toml; the head of that file explains the keys."""

    name: str
    patterns: tuple[str, ...]
    on_stderr: bool
    cause: Cause
    title: str
    detail: str
    hints: tuple[str, ...]

    @property
    def hint(self) -> str:
        """What to do."""
        return hint(*self.hints)


class Messages(Record, forbid_unknown_fields=True):
    """All of messages.toml."""

    noise: tuple[str, ...]
    hints: dict[str, str]
    message: tuple[KnownMessage, ...]


@cache
def load() -> Messages:
    """The file, validated."""
    return data.read("messages.toml", Messages)


def hint(*names: str) -> str:
    """The advice with these keys in the table `hints`, which several messages share."""
    return " ".join(load().hints[name] for name in names)


def on_stderr(line: str) -> KnownMessage | None:
    """The problem that a line of a worker's stderr reports with the current picture.

    None for everything else that libraries print.
    """
    if _pattern(load().noise).search(line):
        return None
    return next((known for known in load().message if known.on_stderr and _says(known, line)), None)


def of_error(error: BaseException) -> KnownMessage | None:
    """What an exception of PyTorch means, according to its class and text."""
    text = f"{type(error).__name__}: {error}"
    return next((known for known in load().message if _says(known, text)), None)


def _says(known: KnownMessage, text: str) -> bool:
    return _pattern(known.patterns).search(text) is not None


@cache
def _pattern(alternatives: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)
