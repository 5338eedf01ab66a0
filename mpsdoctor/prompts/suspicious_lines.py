"""Finds lines of a prompt that look like settings, options or a negative prompt."""

import re

from mpsdoctor.prompts.option_names import COUNTS, EXAMPLE, OPTIONS, TEXTS
from mpsdoctor.prompts.settings import SettingError

_ENDS = "\v\f\x85\u2028\u2029"
"""Line ends of Word and Unicode, which editors do not count as lines."""

_DRESS = rf"[^\w:：=\"(\[<{{{_ENDS}]*"
"""Bullets, Markdown, emoji and invisible marks, which chats and mails put around keys.

They do not include what opens JSON (`"steps": 20`), HTML, or a weighted word (`(size:1.2)`).
"""

_IS = rf"{_DRESS}[:：=][\s*`]*"
_NUMBERS = rf"(?:steps|(?:cfg|guidance)(?:[\s_]scale)?|seed|size|count){_IS}-?[0-9]"
_SIDES = rf"(?:width|height){_IS}[0-9]+\s*(?:px)?\s*(?:[,*`]|$)"
_AT_START = re.compile(rf"(?:^|[{_ENDS}]){_DRESS}(?:{_NUMBERS}|{_SIDES})", re.IGNORECASE)
_WITHIN = re.compile(
    r"(?<![\w(\[<{])(?:steps|cfg scale|seed|size|count)\s?[:：]\s?-?[0-9]", re.IGNORECASE
)
"""A prompt may have a line such as `Model: a tall woman`, but not a number of steps."""

_NEGATIVE = re.compile(rf"(?<![\w(\[<{{])negative[\s_]+prompts?{_DRESS}[:：=]", re.IGNORECASE)
_OPTION = re.compile(r"(?:^|\s)(--[A-Za-z]\w*)")

_WITH_WORDS = (*TEXTS, "--sampler_name", "--sd_model")
_WITH_NUMBERS = (*(name for name in OPTIONS if name not in _WITH_WORDS), *COUNTS)
_SMART_DASH = re.compile(
    r"(?:^\s*[–—]\s?|\s[–—])"
    rf"(?:(?:{'|'.join(name[2:] for name in _WITH_WORDS)})\b"
    rf"|(?:{'|'.join(name[2:] for name in _WITH_NUMBERS)})\s+-?[0-9])"
)


def has_settings(line: str) -> bool:
    """Whether it begins with a setting that is a number, even with marks around it, or has two."""
    return bool(_AT_START.search(line)) or len(_WITHIN.findall(line)) > 1


def begins_with_dash(line: str) -> bool:
    """Whether it begins with an option whose hyphens an editor turned into a dash."""
    return _SMART_DASH.match(line) is not None


def require_hyphens(line: str) -> None:
    """Raises SettingError if an editor turned the hyphens of an option into a dash."""
    if _SMART_DASH.search(line):
        raise SettingError(
            "It has a dash instead of an option's two hyphens.",
            hint=f"Write {EXAMPLE}; in TextEdit, turn off Edit > Substitutions > Smart Dashes.",
        )


def require_words(line: str) -> None:
    """Raises SettingError if a line of a prompt looks like something other than words."""
    require_hyphens(line)
    option = _OPTION.search(line)
    if option:
        raise SettingError(
            f"It has the option {option[1]}, but does not begin with one.",
            hint=f"Write a line such as {EXAMPLE}, or delete the option. "
            "A dash before a word needs a space after it.",
        )
    if _NEGATIVE.search(line):
        raise SettingError(
            "It has a negative prompt, but does not begin with it.",
            hint="Begin a new line with `Negative prompt:`. Put nothing before it, not even "
            "invisible characters.",
        )
    if has_settings(line):
        raise SettingError(
            "It has settings, but is not a separate last line of settings.",
            hint="Put them alone on the last line, as in `Steps: 30, CFG scale: 7`. Put nothing "
            "before them, not even invisible characters. For several prompts with settings, write "
            "one per line, each with `--prompt`.",
        )
