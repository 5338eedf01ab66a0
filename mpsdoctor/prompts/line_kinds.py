"""What one line of an infotext is: settings, or the beginning of a negative prompt."""

import re
from collections.abc import Iterable

from mpsdoctor.prompts.keys import is_of_others, setting_of
from mpsdoctor.prompts.pairs import Pair, read_pairs

MANY = 3
"""A line with this many settings is A1111's, whatever else it has: A1111 counts pairs, too."""

_NEGATIVE = r"\s*negative[\s_]+prompt\s*:"
NEGATIVE_KEY = re.compile(_NEGATIVE, re.IGNORECASE)
NEGATIVE_KEY_OF_DRAW_THINGS = re.compile(rf"{_NEGATIVE}|-(?=[^\s-])", re.IGNORECASE)
"""Draw Things writes the negative prompt as `-blurry`."""

_SIDE = re.compile(r"[0-9]+\s*(px)?", re.IGNORECASE)
"""A picture's side in pixels. A person's height is something else: `Height: 180 cm`."""


def begins_with_setting(line: str) -> bool:
    """Whether this is a line of settings: it begins with one, or has at least `MANY`."""
    pairs = read_pairs(line) if ":" in line else []
    return bool(pairs) and (_is_setting(pairs[0]) or count_settings(pairs) >= MANY)


def has_only_settings(line: str) -> bool:
    """Whether it has only settings and other tools' keys, or at least `MANY` settings."""
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
