"""Splits the lines of an infotext into prompt, negative prompt and settings."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.keys import (
    KEYS,
    NEGATIVE_PROMPT,
    PROMPT,
    is_of_others,
    key_like,
    setting_of,
)
from mpsdoctor.prompts.line_kinds import (
    MANY,
    NEGATIVE_KEY,
    NEGATIVE_KEY_OF_DRAW_THINGS,
    begins_with_setting,
    count_settings,
    has_only_settings,
)
from mpsdoctor.prompts.pairs import Pair, quoted, read_pairs
from mpsdoctor.prompts.settings import SettingError
from mpsdoctor.prompts.suspicious_lines import has_settings, require_words
from mpsdoctor.prompts.wording import shorten, unreadable

_SEED_MODE = "seed mode"
"""Only Draw Things has this key."""


@dataclass(frozen=True)
class Layout:
    """The prompts as written, and the `pairs` of the settings, each with its line number from 1.

    `prompt_line` and `negative_line` are where the prompts begin, or where they would.
    """

    prompt: str
    negative_prompt: str
    prompt_line: int
    negative_line: int
    pairs: tuple[tuple[int, Pair], ...] = ()


def read_layout(lines: Sequence[str]) -> Layout:
    """Splits the lines. The last lines are settings if the very last begins with a setting.

    Raises MpsDoctorError, which names the line, if settings or options are within a prompt.
    """
    end = _end(lines)
    if end and _exact(lines[end - 1]) is not None:
        return _of_exact(end, lines[end - 1])
    start = _first_of_settings(lines, end)
    pairs = [
        (number, pair)
        for number, line in enumerate(lines[start:end], start + 1)
        if line.strip()
        for pair in read_pairs(line)
    ]
    _require_settings(lines, pairs)
    of_draw_things = any(key.casefold() == _SEED_MODE for _, (key, _) in pairs)
    key = NEGATIVE_KEY_OF_DRAW_THINGS if of_draw_things else NEGATIVE_KEY
    _require_prompt(lines[:start], key)
    negative = next((at for at in range(start) if key.match(lines[at])), start)
    rest = [_without_key(line, key) for line in lines[negative:start]]
    return Layout(
        prompt="\n".join(lines[:negative]).strip(),
        negative_prompt="\n".join(rest).strip(),
        prompt_line=next((at for at, line in enumerate(lines, 1) if line.strip()), 1),
        negative_line=negative + 1,
        pairs=tuple(pairs),
    )


def is_exact(lines: Sequence[str]) -> bool:
    """Whether the last line has the prompt as a JSON string; then the lines above do not count."""
    end = _end(lines)
    return end > 0 and _exact(lines[end - 1]) is not None


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
            "One of its prompts is not a JSON string.",
            f'Put both between double quotes: `{PROMPT}: "…", {NEGATIVE_PROMPT}: "…"`.',
        )
    return Layout(prompt, negative, number, number, tuple((number, pair) for pair in pairs))


def _first_of_settings(lines: Sequence[str], end: int) -> int:
    """The first line of settings; `end` if there are none.

    Several lines at the end may have nothing but settings. If a paste broke one line into several,
    the last may have only keys of other tools.
    """
    start = end - 1 if end and begins_with_setting(lines[end - 1]) else end
    while start > 0 and (not lines[start - 1].strip() or has_only_settings(lines[start - 1])):
        start -= 1
    return start if any(map(begins_with_setting, lines[start:end])) else end


def _without_key(line: str, key: re.Pattern[str]) -> str:
    found = key.match(line)
    return line[found.end() :] if found else line


def _require_settings(lines: Sequence[str], pairs: Sequence[tuple[int, Pair]]) -> None:
    """Among few settings, an unknown key is a typo, or the line belongs to the prompt.

    Among many, an unknown key may be an extension's, unless it comes first. Tools begin with a
    known key, so anything before that is words that ran into the line.
    """
    few = count_settings(pair for _, pair in pairs) < MANY
    for at, (number, (key, value)) in enumerate(pairs):
        unknown = setting_of(key) is None and not is_of_others(key)
        if key in (PROMPT, NEGATIVE_PROMPT) or not key or (unknown and at == 0):
            raise unreadable(
                number,
                f"It has settings, but also {shorten(f'{key} {value}'.strip(), 40)!r}.",
                "Put the settings alone on the last line. It must begin with one of "
                f"{', '.join(KEYS)}.",
            )
        if few and unknown:
            raise unreadable(
                number,
                f"It has settings, but also {shorten(key, 40)!r}, which is not a setting.",
                _instead(key, lines[number - 1]),
            )


def _instead(key: str, line: str) -> str:
    """The key that was meant. A line with numbers for settings cannot be part of a prompt."""
    meant = key_like(key) or f"The settings are: {', '.join(KEYS)}."
    if has_settings(line):
        return meant
    return (
        f"{meant} If this line belongs to the prompt, add a line of settings after it, such as "
        "`Count: 1`."
    )


def _require_prompt(lines: Sequence[str], key: re.Pattern[str]) -> None:
    """Checks from the last line up. If settings do not come last, the line below is to blame."""
    below: tuple[int, str] | None = None
    for number in range(len(lines), 0, -1):
        line = lines[number - 1]
        try:
            require_words(_without_key(line, key))
        except SettingError as error:
            if below and begins_with_setting(line):
                raise _below_settings(*below, number) from error
            raise error.at_line(number) from error
        if line.strip() and not has_only_settings(line):
            below = number, line


def _below_settings(number: int, line: str, settings: int) -> MpsDoctorError:
    return unreadable(
        number,
        f"{shorten(line.strip(), 40)!r} is below the settings on line {settings}, but is not a "
        "setting.",
        "Delete it, or move it above the settings, which must come last. If a paste broke it off, "
        "join it to them. For several prompts with settings, write one per line, each with "
        "`--prompt`.",
    )
