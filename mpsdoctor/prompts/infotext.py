"""Generation parameters as the text that A1111's web UI writes and most tools read.

`modules/processing.py:create_infotext` in AUTOMATIC1111's stable-diffusion-webui 1.10 writes this
form. First comes the prompt, then lines that begin with `Negative prompt:`, then one line of
`Key: value` pairs. Readers expect at least three pairs.
"""

from dataclasses import dataclass

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.document import split_lines
from mpsdoctor.prompts.keys import NEGATIVE_PROMPT, PROMPT, notes, setting_of
from mpsdoctor.prompts.layout import Layout, read_layout
from mpsdoctor.prompts.options import has_options
from mpsdoctor.prompts.pairs import format_pairs, quote, unquote
from mpsdoctor.prompts.request import Request
from mpsdoctor.prompts.settings import (
    Fields,
    SettingError,
    read_setting,
    read_text,
)
from mpsdoctor.prompts.wording import shorten, unreadable

PNG_KEY = "parameters"


@dataclass(frozen=True)
class Parameters:
    """What a picture was made with. `width` and `height` are in pixels; `seed` is a CPU seed.

    `sampler` and `schedule_type` are A1111's names; "" and None are left out.
    """

    prompt: str
    steps: int
    sampler: str
    cfg_scale: float
    seed: int
    width: int
    height: int
    model: str
    version: str
    negative_prompt: str = ""
    schedule_type: str | None = None
    distilled_cfg_scale: float | None = None


def format_infotext(parameters: Parameters) -> str:
    """The value of the PNG text chunk `parameters`, from which the same values can be read.

    A line of a prompt may look like the form itself. Then the last line also has both prompts as
    JSON strings: `Prompt: "…", Negative prompt: "…"`. A1111 reads those as the prompts, too. NUL,
    which PNG text cannot contain, becomes U+FFFD.
    """
    prompt, negative = _writable(parameters.prompt), _writable(parameters.negative_prompt)
    line = format_pairs(_pairs(parameters))
    text = f"{prompt}\n{NEGATIVE_PROMPT}: {negative}" if negative else prompt
    if not _reads_as(prompt, negative, f"{text}\n{line}"):
        line += f", {PROMPT}: {quote(prompt)}, {NEGATIVE_PROMPT}: {quote(negative)}"
    return f"{text}\n{line}"


def parse_infotext(text: str) -> Request:
    """The one request in a text: a prompt alone, or with a negative prompt and settings.

    Raises MpsDoctorError if text that looks like a setting cannot be read; it names the line.
    """
    layout = read_layout(split_lines(text))
    if not layout.prompt.strip():
        raise unreadable(
            layout.prompt_line,
            "There are settings or a negative prompt, but no prompt.",
            "Above them, write what the picture should show. Everything after `Negative prompt:` "
            "belongs to the negative prompt.",
        )
    texts: Fields = {
        "prompt": _read_text("prompt", layout.prompt, layout.prompt_line),
        "negative_prompt": _read_text(
            "negative prompt", layout.negative_prompt, layout.negative_line
        ),
    }
    pairs = tuple(pair for _, pair in layout.pairs)
    return Request(**texts, **_read_settings(layout), notes=notes(pairs))


def _read_text(name: str, text: str, line: int) -> str:
    try:
        return read_text(name, text)
    except SettingError as error:
        raise error.at_line(line) from error


def _read_settings(layout: Layout) -> Fields:
    """Reads the sampler first: a separate schedule type overrides the one in its name."""
    named = [(setting_of(key), number, key, value) for number, (key, value) in layout.pairs]
    fields: Fields = {}
    for setting, number, key, value in sorted(named, key=lambda pair: pair[0] != "sampler"):
        if setting is None:
            continue
        try:
            read = read_setting(setting, key, unquote(value))
            if setting != "schedule_type":
                _require_same(fields, read, key, value)
        except SettingError as error:
            raise error.at_line(number) from error
        fields |= read
    return fields


def _require_same(fields: Fields, read: Fields, key: str, value: str) -> None:
    """Tools have several keys for one setting, and a file may have more than one of them."""
    if any(fields.get(name, meant) != meant for name, meant in read.items()):
        raise SettingError(
            f"{key} is {shorten(value, 40)!r}, which contradicts an earlier setting.",
            hint="Delete the one that you do not want.",
        )


def _pairs(parameters: Parameters) -> list[tuple[str, str]]:
    pairs = {
        "Steps": f"{parameters.steps}",
        "Sampler": parameters.sampler,
        "Schedule type": parameters.schedule_type or "",
        "CFG scale": _number(parameters.cfg_scale),
        "Distilled CFG Scale": _number(parameters.distilled_cfg_scale),
        "Seed": f"{parameters.seed}",
        "Size": f"{parameters.width}x{parameters.height}",
        "Model": parameters.model,
        "RNG": "CPU",
        "Version": parameters.version,
    }
    return [(key, _writable(value)) for key, value in pairs.items() if value]


def _reads_as(prompt: str, negative: str, infotext: str) -> bool:
    lines = split_lines(infotext)
    try:
        layout = read_layout(lines)
    except MpsDoctorError:
        return False
    return (layout.prompt, layout.negative_prompt) == (prompt, negative) and not has_options(lines)


def _number(value: float | None) -> str:
    """The shortest form that reads as the same number."""
    if value is None:
        return ""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def _writable(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
