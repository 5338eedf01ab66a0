"""Reads lines as A1111's script "Prompts from file or textbox" does, one request per line.

The options and their values are those of `scripts/prompts_from_file.py` in AUTOMATIC1111's
stable-diffusion-webui 1.10. It renders a line that it cannot parse as words; here that is an error.
"""

import re
import shlex
from collections.abc import Iterator, Sequence

from mpsdoctor.errors import did_you_mean
from mpsdoctor.prompts.line_kinds import begins_negative, begins_with_setting
from mpsdoctor.prompts.option_names import (
    COUNTS,
    EXAMPLE,
    OPTIONS,
    PATHS,
    TEXTS,
    WITHOUT_EFFECT,
)
from mpsdoctor.prompts.request import Request
from mpsdoctor.prompts.settings import (
    MAX_COUNT,
    Fields,
    SettingError,
    read_setting,
    read_text,
    read_whole,
)
from mpsdoctor.prompts.suspicious_lines import begins_with_dash, require_hyphens, require_words
from mpsdoctor.prompts.wording import no_effect, shorten

_KNOWN = (*TEXTS, *OPTIONS, *COUNTS)
_OPTION = re.compile(r"\s*--[A-Za-z]")
_SMART_QUOTE = re.compile(r"--\w+\s+[“”„«»]")


def has_options(lines: Sequence[str]) -> bool:
    """Whether a line begins with an option, or with `--` that an editor turned into a dash."""
    return any(_OPTION.match(line) or begins_with_dash(line) for line in lines)


def read_lines(lines: Sequence[str]) -> tuple[Request, ...]:
    """One request per line that is not blank. A line without options is a prompt, as in A1111.

    Raises MpsDoctorError for the first line that cannot be read.
    """
    requests: list[Request] = []
    for number, line in enumerate(lines, 1):
        try:
            requests += [_read_line(line.strip())] if line.strip() else []
        except SettingError as error:
            raise error.at_line(number) from error
    return tuple(requests)


def _read_line(line: str) -> Request:
    require_hyphens(line)
    return _read_options(line) if _OPTION.match(line) else _read_plain(line)


def _read_plain(line: str) -> Request:
    if begins_with_setting(line) or begins_negative(line):
        raise SettingError(
            "It has settings, but does not begin with an option, as other lines of the file do.",
            hint=f"Write it as {EXAMPLE}.",
        )
    require_words(line)
    return Request(prompt=read_text("prompt", line))


def _read_options(line: str) -> Request:
    fields: Fields = {}
    count = 1
    left_out: list[str] = []
    for name, words in _options(line):
        value = " ".join(words)
        if name in TEXTS:
            fields[TEXTS[name]] = read_text(name, value)
        elif len(words) != 1:
            raise SettingError(
                f"{name} takes one value, but has {len(words)} here.",
                hint="Write one value after it.",
            )
        elif name in OPTIONS:
            fields = _with_setting(fields, name, value)
        elif name in COUNTS:
            count *= read_whole(name, value, 1, MAX_COUNT)
        else:
            left_out.append(f"{name} {shorten(value, 40)}")
    if not fields.get("prompt", "").strip():
        raise SettingError("It has no prompt.", hint=f"Write a line such as {EXAMPLE}.")
    fields |= read_setting("count", " × ".join(COUNTS), f"{count}")
    return Request(**fields, notes=no_effect(left_out))


def _with_setting(fields: Fields, name: str, value: str) -> Fields:
    return fields | read_setting(OPTIONS[name], name, value)


def _options(line: str) -> Iterator[tuple[str, list[str]]]:
    """Each option with its words. Raises SettingError if it is unknown, or names a path."""
    words = _split(line)
    starts = [at for at, word in enumerate(words) if word.startswith("--")]
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        name = words[start]
        if name in PATHS:
            raise SettingError(
                f"{name} names a folder, which a prompt file may not do.",
                hint="Delete it: pictures go to the folder `images`.",
            )
        if name not in (*_KNOWN, *WITHOUT_EFFECT):
            raise SettingError(
                f"There is no option {shorten(name, 40)!r}.",
                hint=did_you_mean(name[:40], _KNOWN, f"The options are: {', '.join(_KNOWN)}."),
            )
        yield name, words[start + 1 : end]


def _split(line: str) -> list[str]:
    if _SMART_QUOTE.search(line):
        raise SettingError(
            "It has curly quotes, which do not group words.",
            hint=f"Write straight quotes, as in {EXAMPLE}; in TextEdit, turn off "
            "Edit > Substitutions > Smart Quotes.",
        )
    try:
        return shlex.split(line)
    except ValueError as error:
        raise SettingError(
            f"A quote is not closed, or a backslash ends the line ({error}).",
            hint="Put the prompt between double quotes, and a backslash before a double quote "
            'in it: `--prompt "a cat\'s \\"cradle\\""`.',
        ) from error
