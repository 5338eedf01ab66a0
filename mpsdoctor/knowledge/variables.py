"""What PyTorch's environment variables mean; the data and its sources are in variables.toml."""

import difflib
import re
from functools import cache
from typing import Literal

from packaging.version import Version

from mpsdoctor.knowledge import data
from mpsdoctor.knowledge.data import Row
from mpsdoctor.records import Record

HIGH = "PYTORCH_MPS_HIGH_WATERMARK_RATIO"
LOW = "PYTORCH_MPS_LOW_WATERMARK_RATIO"

_ALIKE = 0.6
# What strtod(3), which PyTorch uses, reads as a number; it ignores the rest of the text.
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


class Variable(Row, kw_only=True):
    """One variable; `effect` says what it does, `torch` is the first release that reads it.

    `torch` is None if that release is unknown or too old to matter. `read` says when PyTorch reads
    the variable, once in a process: during its import, or at the first use.
    """

    name: str
    torch: Version | None = None
    kind: Literal["ratio", "switch", "presence", "value"]
    read: Literal["import", "use"]
    effect: str


class Watermark(Row):
    """PyTorch's own ratios, and the greatest that it accepts."""

    high: float
    low: float
    most: float


class Variables(Record, forbid_unknown_fields=True):
    """All of variables.toml."""

    variable: tuple[Variable, ...]
    watermark: Watermark


@cache
def load() -> Variables:
    """The file, validated."""
    return data.read("variables.toml", Variables)


def known() -> dict[str, Variable]:
    """The known variables, with their names as keys."""
    return {variable.name: variable for variable in load().variable}


def reads(torch: Version | None, name: str) -> bool:
    """Whether this PyTorch reads a variable; True if the release is unknown."""
    variable = known().get(name)
    since = variable.torch if variable else None
    return since is None or torch is None or torch >= since


def meant_by(name: str) -> list[str]:
    """The known names that resemble a misspelled one, the most similar first.

    All names begin alike, so only the rest of each name is compared.
    """
    words = {_words(real): real for real in known()}
    return [words[like] for like in difflib.get_close_matches(_words(name), words, 2, _ALIKE)]


def ratio(text: str) -> float:
    """The number that PyTorch reads from the start of `text`, otherwise 0; `0,8` is 0 too."""
    match = _NUMBER.match(text)
    return float(match[0]) if match else 0.0


def is_ratio(text: str) -> bool:
    """Whether `text` is a number and nothing else."""
    match = _NUMBER.match(text)
    return match is not None and not text[match.end() :].strip()


def _words(name: str) -> str:
    return re.sub(r"PYTORCH_?|MPS_?", "", name.upper())
