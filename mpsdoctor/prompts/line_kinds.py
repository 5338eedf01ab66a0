"""What a line of an infotext is by itself: settings, or the beginning of a negative prompt."""

import re
from collections.abc import Iterable

from mpsdoctor.prompts.keys import is_of_others, setting_of
from mpsdoctor.prompts.pairs import Pair, read_pairs

MANY = 3
"""So many settings on a line make it A1111's, whatever else is on it: A1111 counts pairs so."""

_NEGATIVE = r"\s*negative[\s_]+prompt\s*:"
NEGATIVE_KEY = re.compile(_NEGATIVE, re.IGNORECASE)
NEGATIVE_KEY_OF_DRAW_THINGS = re.compile(rf"{_NEGATIVE}|-(?=[^\s-])", re.IGNORECASE)
"""It writes the negative prompt as `-blurry`."""

_SIDE = re.compile(r"[0-9]+\s*(px)?", re.IGNORECASE)
"""Of a picture. People have another: `Height: 180 cm`."""


def begins_with_setting(line: str) -> bool:
    """Whether a line is one of settings: it begins with one, or has three."""
    pairs = read_pairs(line) if ":" in line else []
    return bool(pairs) and (_is_setting(pairs[0]) or count_settings(pairs) >= MANY)


def has_only_settings(line: str) -> bool:
    """Whether a line may be one of several of settings: it has those and other tools', or three."""
    pairs = read_pairs(line) if ":" in line else []
    known = all(_is_setting(pair) or is_of_others(pair[0]) for pair in pairs)
    return bool(pairs) and (known or count_settings(pairs) >= MANY)


def begins_negative(line: str) -> bool:
    """Whether a line begins with the key of the negative prompt."""
    return NEGATIVE_KEY.match(line) is not None


def count_settings(pairs: Iterable[Pair]) -> int:
    """How many of the pairs are settings."""
    return sum(map(_is_setting, pairs))


def _is_setting(pair: Pair) -> bool:
    key, value = pair
    setting = setting_of(key)
    if setting in ("width", "height"):
        return _SIDE.fullmatch(value) is not None
    return setting is not None
