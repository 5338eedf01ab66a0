"""Lines as A1111's script "Prompts from file or textbox" takes them, one request each.

The options and their values are those of `scripts/prompts_from_file.py` in AUTOMATIC1111's
stable-diffusion-webui 1.10. It renders a line that it cannot parse as words; here that is an error.
"""

import re
import shlex
from collections.abc import Iterator, Sequence

from mpsdoctor.errors import did_you_mean
from mpsdoctor.prompts.layout import begins_with_setting
from mpsdoctor.prompts.request import Request
from mpsdoctor.prompts.settings import (
    MAX_COUNT,
    Fields,
    SettingError,
    read_setting,
    read_text,
    read_whole,
)
from mpsdoctor.prompts.wording import no_effect, shorten

OPTIONS = {
    "--sampler_name": "sampler",
    "--sd_model": "model",
    "--seed": "seed",
    "--steps": "steps",
    "--cfg_scale": "cfg_scale",
    "--width": "width",
    "--height": "height",
}
"""To settings."""

TEXTS = {"--prompt": "prompt", "--negative_prompt": "negative_prompt"}
"""To fields of a request; their words go on until the next option."""

COUNTS = ("--n_iter", "--batch_size")
"""How many pictures: their product."""

PATHS = ("--outpath_samples", "--outpath_grids")

WITHOUT_EFFECT = (
    "--prompt_for_display",
    "--styles",
    "--subseed",
    "--subseed_strength",
    "--seed_resize_from_h",
    "--seed_resize_from_w",
    "--sampler_index",
    "--restore_faces",
    "--tiling",
    "--do_not_save_samples",
    "--do_not_save_grid",
)

_KNOWN = (*TEXTS, *OPTIONS, *COUNTS)
_OPTION = re.compile(r"\s*--[A-Za-z]")
_OPTION_WITHIN = re.compile(r"\s(--[A-Za-z]\w*)")
_SMART_DASH = re.compile(rf"\s*[–—]\s?(?:{'|'.join(name[2:] for name in _KNOWN)})\b")
_SMART_QUOTES = "“”„"
_EXAMPLE = '`--prompt "a red circle" --steps 30`'


def has_options(lines: Sequence[str]) -> bool:
    """Whether this is a file of such lines: one begins with an option, or with `--` made a dash."""
    return any(_OPTION.match(line) or _SMART_DASH.match(line) for line in lines)


def read_lines(lines: Sequence[str]) -> tuple[Request, ...]:
    """One request a line that is not blank; a line without options is a prompt, as in A1111.

    Raises MpsDoctorError that names the first line that cannot be read.
    """
    requests: list[Request] = []
    for number, line in enumerate(lines, 1):
        try:
            requests += [_read_line(line.strip())] if line.strip() else []
        except SettingError as error:
            raise error.at_line(number) from error
    return tuple(requests)


def _read_line(line: str) -> Request:
    if _SMART_DASH.match(line):
        raise SettingError(
            "It begins with a dash, where an option has two hyphens.",
            hint=f"Write {_EXAMPLE}; in TextEdit, turn off Edit > Substitutions > Smart Dashes.",
        )
    return _read_options(line) if _OPTION.match(line) else _read_plain(line)


def _read_plain(line: str) -> Request:
    option = _OPTION_WITHIN.search(line)
    if option or begins_with_setting(line) or line.casefold().startswith("negative prompt:"):
        found = f"the option {option[1]}" if option else "settings"
        raise SettingError(
            f"It has {found}, but does not begin with an option, as others here do.",
            hint=f"Write it as {_EXAMPLE}.",
        )
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
            raise SettingError(f"{name} takes one value.", hint=f"It has {len(words)} words here.")
        elif name in OPTIONS:
            fields = _with_setting(fields, name, value)
        elif name in COUNTS:
            count *= read_whole(name, value, 1, MAX_COUNT)
        else:
            left_out.append(f"{name} {shorten(value, 40)}")
    if not fields.get("prompt", "").strip():
        raise SettingError("It names no prompt.", hint=f"Write a line such as {_EXAMPLE}.")
    fields |= read_setting("count", " × ".join(COUNTS), f"{count}")
    return Request(**fields, notes=no_effect(left_out))


def _with_setting(fields: Fields, name: str, value: str) -> Fields:
    return fields | read_setting(OPTIONS[name], name, value)


def _options(line: str) -> Iterator[tuple[str, list[str]]]:
    """Each option and its words. Raises SettingError for what is no option, or a path."""
    words = _split(line)
    starts = [at for at, word in enumerate(words) if word.startswith("--")]
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        name = words[start]
        if name in PATHS:
            raise SettingError(
                f"{name} names a folder, and a prompt file may name none.",
                hint="Take it out: pictures go to the folder `images`.",
            )
        if name not in (*_KNOWN, *WITHOUT_EFFECT):
            raise SettingError(
                f"There is no option {shorten(name, 40)!r}.",
                hint=did_you_mean(name[:40], _KNOWN, f"There are: {', '.join(_KNOWN)}."),
            )
        yield name, words[start + 1 : end]


def _split(line: str) -> list[str]:
    if set(line) & set(_SMART_QUOTES) and '"' not in line:
        raise SettingError(
            "It has typographic quotes, which do not hold words together.",
            hint=f"Write straight ones, as in {_EXAMPLE}; in TextEdit, turn off "
            "Edit > Substitutions > Smart Quotes.",
        )
    try:
        return shlex.split(line)
    except ValueError as error:
        raise SettingError(
            f"A quote or a backslash is left open ({error}).",
            hint="Put the prompt between double quotes, and a backslash before a double quote "
            'in it: `--prompt "a cat\'s \\"cradle\\""`.',
        ) from error
