"""Which lines of an infotext are prompt, negative prompt and settings."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mpsdoctor.errors import did_you_mean
from mpsdoctor.prompts.keys import (
    KEYS,
    NEGATIVE_PROMPT,
    PROMPT,
    is_of_others,
    setting_of,
)
from mpsdoctor.prompts.pairs import Pair, quoted, read_pairs
from mpsdoctor.prompts.wording import shorten, unreadable

_MANY = 3
"""So many settings on a line make it A1111's, whatever else is on it: A1111 counts pairs so."""

_NEGATIVE = re.compile(rf"\s*{NEGATIVE_PROMPT}:(.*)", re.IGNORECASE | re.DOTALL)
_OPTION = re.compile(r"(?:^|\s)(--[A-Za-z]\w*)")
_STRAY = re.compile(r"\b(steps|cfg scale|seed|size|count): ?-?[0-9]", re.IGNORECASE)
"""A prompt may have a line such as `Model: a tall woman`, but no number of steps."""


@dataclass(frozen=True)
class Layout:
    """Prompts as the lines have them; `pairs` of the settings, each with its line number from 1."""

    prompt: str
    negative_prompt: str
    pairs: tuple[tuple[int, Pair], ...] = ()


def read_layout(lines: Sequence[str]) -> Layout:
    """What the lines are. The last ones are settings where the last begins with a setting.

    Raises MpsDoctorError that names the line, for settings or options in the midst of a prompt.
    """
    end = _end(lines)
    if end and _exact(lines[end - 1]) is not None:
        return _of_exact(end, lines[end - 1])
    start = _first_of_settings(lines, end)
    pairs = [(place + 1, pair) for place in range(start, end) for pair in read_pairs(lines[place])]
    _require_settings(pairs)
    _require_prompt(lines[:start])
    negative = next((at for at in range(start) if _NEGATIVE.match(lines[at])), start)
    rest = [_without_key(line) for line in lines[negative:start]]
    return Layout("\n".join(lines[:negative]).strip(), "\n".join(rest).strip(), tuple(pairs))


def is_exact(lines: Sequence[str]) -> bool:
    """Whether the last line has the prompt as a JSON string, so that the lines above are void."""
    end = _end(lines)
    return end > 0 and _exact(lines[end - 1]) is not None


def begins_with_setting(line: str) -> bool:
    """Whether a line is one of settings: it begins with one, or has three."""
    pairs = read_pairs(line) if ":" in line else []
    return bool(pairs) and (setting_of(pairs[0][0]) is not None or _settings(pairs) >= _MANY)


def _end(lines: Sequence[str]) -> int:
    """After the last line that is not blank."""
    return max((at + 1 for at, line in enumerate(lines) if line.strip()), default=0)


def _exact(line: str) -> str | None:
    pairs = read_pairs(line) if f"{PROMPT}:" in line and begins_with_setting(line) else []
    return next((quoted(value) for key, value in pairs if key == PROMPT), None)


def _of_exact(number: int, line: str) -> Layout:
    pairs = read_pairs(line)
    texts = {key: quoted(value) for key, value in pairs if key in (PROMPT, NEGATIVE_PROMPT)}
    prompt, negative = texts[PROMPT], texts.get(NEGATIVE_PROMPT, "")
    if prompt is None or negative is None:
        raise unreadable(
            number,
            "One of its prompts is no JSON string.",
            f'Put both between double quotes: `{PROMPT}: "…", {NEGATIVE_PROMPT}: "…"`.',
        )
    return Layout(prompt, negative, tuple((number, pair) for pair in pairs))


def _first_of_settings(lines: Sequence[str], end: int) -> int:
    """The last line, where it begins with a setting, and those above it that have nothing else.

    A paste may have broken the line of settings: then the last one has those of other tools.
    """
    start = end - 1 if end and begins_with_setting(lines[end - 1]) else end
    while start > 0 and _has_only_settings(lines[start - 1]):
        start -= 1
    return start if any(map(begins_with_setting, lines[start:end])) else end


def _has_only_settings(line: str) -> bool:
    pairs = read_pairs(line) if ":" in line else []
    known = all(setting_of(key) or is_of_others(key) for key, _ in pairs)
    return bool(pairs) and (known or _settings(pairs) >= _MANY)


def _without_key(line: str) -> str:
    found = _NEGATIVE.match(line)
    return found[1] if found else line


def _settings(pairs: Sequence[Pair]) -> int:
    return sum(setting_of(key) is not None for key, _ in pairs)


def _require_settings(pairs: Sequence[tuple[int, Pair]]) -> None:
    """Among few settings an unknown key is a slip, or the line is a prompt."""
    few = _settings([pair for _, pair in pairs]) < _MANY
    for number, (key, value) in pairs:
        if key in (PROMPT, NEGATIVE_PROMPT) or not key:
            raise unreadable(
                number,
                f"It has settings, and with them {shorten(f'{key} {value}'.strip(), 40)!r}.",
                "Put the settings on a line of their own, the last one.",
            )
        if few and setting_of(key) is None and not is_of_others(key):
            raise unreadable(
                number,
                f"It has settings, and with them {shorten(key, 40)!r}, which is none.",
                did_you_mean(key[:40], KEYS, "")
                or "If this line belongs to the prompt, add a line of settings after it, "
                "such as `Count: 1`.",
            )


def _require_prompt(lines: Sequence[str]) -> None:
    for number, line in enumerate(lines, 1):
        option = _OPTION.search(line)
        if option:
            raise unreadable(
                number,
                f"It has the option {option[1]}, but does not begin with one.",
                'Write a line such as `--prompt "a red circle" --steps 30`, or take it out. '
                "A dash before a word needs a space after it.",
            )
        if _STRAY.match(line.lstrip()) or len(_STRAY.findall(line)) > 1:
            raise unreadable(
                number,
                "It has settings, but is not a last line of settings alone.",
                "Put them on a line of their own, the last one. For several prompts with settings, "
                "write one a line, each with `--prompt`.",
            )
