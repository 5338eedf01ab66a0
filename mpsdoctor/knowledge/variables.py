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
# What strtod(3) takes for a number, which PyTorch uses: the rest of the text is ignored.
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


class Variable(Row, kw_only=True):
    """One variable; `effect` is what it does, `torch` the release that reads it first.

    The latter is None where it is older than any that matters, or not known. `read` is when in a
    process PyTorch reads it: once, while it is imported or when it first does such a thing.
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
    """By name."""
    return {variable.name: variable for variable in load().variable}


def reads(torch: Version | None, name: str) -> bool:
    """Whether this PyTorch looks at a variable; one that is not known may."""
    variable = known().get(name)
    since = variable.torch if variable else None
    return since is None or torch is None or torch >= since


def meant_by(name: str) -> list[str]:
    """The known names that a misspelt one is like, the likest first.

    Only the words that tell them apart are compared: all begin alike.
    """
    words = {_words(real): real for real in known()}
    return [words[like] for like in difflib.get_close_matches(_words(name), words, 2, _ALIKE)]


def ratio(text: str) -> float:
    """What PyTorch takes `text` for: the number that it begins with, else 0; `0,8` is 0 too."""
    match = _NUMBER.match(text)
    return float(match[0]) if match else 0.0


def is_ratio(text: str) -> bool:
    """Whether `text` is that number and nothing else."""
    match = _NUMBER.match(text)
    return match is not None and not text[match.end() :].strip()


def _words(name: str) -> str:
    return re.sub(r"PYTORCH_?|MPS_?", "", name.upper())
