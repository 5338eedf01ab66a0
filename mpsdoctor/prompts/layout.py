"""Which lines of an infotext are prompt, negative prompt and settings."""

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
    """Prompts as the lines have them; `pairs` of the settings, each with its line number from 1.

    `prompt_line` and `negative_line` are those where the prompts begin, or should.
    """

    prompt: str
    negative_prompt: str
    prompt_line: int
    negative_line: int
    pairs: tuple[tuple[int, Pair], ...] = ()


def read_layout(lines: Sequence[str]) -> Layout:
    """What the lines are. The last ones are settings where the last begins with a setting.

    Raises MpsDoctorError that names the line, for settings or options in the midst of a prompt.
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
    """Whether the last line has the prompt as a JSON string, so that the lines above are void."""
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
            "One of its prompts is no JSON string.",
            f'Put both between double quotes: `{PROMPT}: "…", {NEGATIVE_PROMPT}: "…"`.',
        )
    return Layout(prompt, negative, number, number, tuple((number, pair) for pair in pairs))


def _first_of_settings(lines: Sequence[str], end: int) -> int:
    """The last line, where it begins with a setting, and those above it that have nothing else.

    A paste may have broken the line of settings: then the last one has those of other tools.
    """
    start = end - 1 if end and begins_with_setting(lines[end - 1]) else end
    while start > 0 and (not lines[start - 1].strip() or has_only_settings(lines[start - 1])):
        start -= 1
    return start if any(map(begins_with_setting, lines[start:end])) else end


def _without_key(line: str, key: re.Pattern[str]) -> str:
    found = key.match(line)
    return line[found.end() :] if found else line


def _require_settings(lines: Sequence[str], pairs: Sequence[tuple[int, Pair]]) -> None:
    """Among few settings an unknown key is a slip, or the line is a prompt.

    Among many it may be an extension's, but not the first: tools begin with one of their own, and
    before that are words that ran into the line.
    """
    few = count_settings(pair for _, pair in pairs) < MANY
    for at, (number, (key, value)) in enumerate(pairs):
        unknown = setting_of(key) is None and not is_of_others(key)
        if key in (PROMPT, NEGATIVE_PROMPT) or not key or (unknown and at == 0):
            raise unreadable(
                number,
                f"It has settings, and with them {shorten(f'{key} {value}'.strip(), 40)!r}.",
                "Put the settings on a line of their own, the last one, which begins with one of "
                f"{', '.join(KEYS)}.",
            )
        if few and unknown:
            raise unreadable(
                number,
                f"It has settings, and with them {shorten(key, 40)!r}, which is none.",
                _instead(key, lines[number - 1]),
            )


def _instead(key: str, line: str) -> str:
    """A line that has numbers of settings would be no prompt above other settings either."""
    meant = key_like(key) or f"There are: {', '.join(KEYS)}."
    if has_settings(line):
        return meant
    return (
        f"{meant} If this line belongs to the prompt, add a line of settings after it, such as "
        "`Count: 1`."
    )


def _require_prompt(lines: Sequence[str], key: re.Pattern[str]) -> None:
    """From the last line up: settings that are not the last have below them what is to blame."""
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
        f"{shorten(line.strip(), 40)!r} stands below the settings of line {settings}, and is none.",
        "Delete it, move it above the settings, which go last, or join it to them, where a paste "
        "broke it off. For several prompts with settings, write one a line, each with `--prompt`.",
    )
