"""The settings that a prompt file may name, and their allowed values."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.request import SEEDS
from mpsdoctor.prompts.samplers import AUTOMATIC, find_sampler, find_schedule_type
from mpsdoctor.prompts.wording import shorten, unreadable

MAX_PROMPT = 20_000
"""The limit for a prompt and for a negative prompt, in characters."""

MAX_COUNT = 64
SIDE_MULTIPLE = 8
_SIDES = (64, 2048)
_STEPS = (1, 150)
_SCALES = (0, 30)
_LONGEST_NAME = 200

_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_NUMBER = re.compile(r"[+-]?(?=[0-9.]*[0-9])[0-9]{0,30}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,3})?")
_SIZE = re.compile(r"([+-]?[0-9]{1,30})\s?[xX×]\s?([+-]?[0-9]{1,30})")

Fields = dict[str, Any]
"""Some of the fields of a `Request`."""


class SettingError(MpsDoctorError):
    """A value that is not allowed; `at_line` says where it is."""

    def at_line(self, line: int) -> MpsDoctorError:
        """The error for the user, who has a file; `line` counts from 1."""
        return unreadable(
            line, " ".join(part for part in (self.title, self.detail) if part), self.hint
        )


def read_setting(setting: str, name: str, value: str) -> Fields:
    """The fields that `value` sets for one of `SETTINGS`, which the file calls `name`.

    Raises SettingError if it is not allowed; the error names the nearest allowed value.
    """
    try:
        return SETTINGS[setting](name, value)
    except SettingError:
        raise
    except MpsDoctorError as error:
        raise SettingError(f"{error.title}.", detail=error.detail, hint=error.hint) from error


def read_text(name: str, text: str) -> str:
    """`text`, if it is short enough and has no control characters except line ends and tabs.

    Raises SettingError otherwise.
    """
    if len(text) > MAX_PROMPT:
        raise SettingError(
            f"The {name} has {len(text):,} characters; the limit is {MAX_PROMPT:,}.",
            hint="Shorten it: text encoders read far less.",
        )
    odd = re.search(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]", text)
    if odd:
        raise SettingError(
            f"The {name} has the control character U+{ord(odd[0]):04X}.",
            hint="Delete it, or type the text again.",
        )
    return text


def read_whole(name: str, value: str, least: int, most: int) -> int:
    """A whole number from `least` to `most`. Raises SettingError if `value` is not one."""
    if not _WHOLE.fullmatch(value):
        raise SettingError(
            f"{name} is {_shown(value)}, which is not a whole number.",
            hint=f"Write a number from {least} to {most}, such as "
            f"{_spelt(name, max(least, min(20, most)))}.",
        )
    number = int(value)
    if not least <= number <= most:
        raise SettingError(
            f"{name} is {_shown(value)}; it must be {least} to {most}.",
            hint=f"The nearest is {_spelt(name, min(max(number, least), most))}.",
        )
    return number


def _spelt(name: str, value: object) -> str:
    return f"`{name} {value}`" if name.startswith("--") else f"`{name}: {value}`"


def _steps(name: str, value: str) -> Fields:
    return {"steps": read_whole(name, value, *_STEPS)}


def _width(name: str, value: str) -> Fields:
    return {"width": _side(name, value)}


def _height(name: str, value: str) -> Fields:
    return {"height": _side(name, value)}


def _side(name: str, value: str) -> int:
    if not _WHOLE.fullmatch(value):
        return read_whole(name, value, *_SIDES)
    if int(value) != _nearest_side(value):
        raise _no_side(name, value, str(_nearest_side(value)))
    return int(value)


def _size(name: str, value: str) -> Fields:
    size = _SIZE.fullmatch(value)
    if not size:
        raise SettingError(
            f"{name} is {_shown(value)}, which is not a width and a height.",
            hint=f"Write both, in pixels, with an x between them: {_spelt(name, '512x768')}.",
        )
    width, height = (_nearest_side(side) for side in size.groups())
    if (width, height) != (int(size[1]), int(size[2])):
        raise _no_side(name, value, f"{width}x{height}")
    return {"width": width, "height": height}


def _nearest_side(value: str) -> int:
    least, most = _SIDES
    return min(max(round(int(value) / SIDE_MULTIPLE) * SIDE_MULTIPLE, least), most)


def _no_side(name: str, value: str, nearest: str) -> SettingError:
    least, most = _SIDES
    return SettingError(
        f"{name} is {_shown(value)}; a side must have {least} to {most} pixels, "
        f"in steps of {SIDE_MULTIPLE}.",
        hint=f"The nearest is {_spelt(name, nearest)}.",
    )


def _cfg_scale(name: str, value: str) -> Fields:
    return {"cfg_scale": _scale(name, value)}


def _distilled_cfg_scale(name: str, value: str) -> Fields:
    return {"distilled_cfg_scale": _scale(name, value)}


def _scale(name: str, value: str) -> float:
    least, most = _SCALES
    number = float(value) if _NUMBER.fullmatch(value) else math.nan
    if math.isnan(number):
        raise SettingError(
            f"{name} is {_shown(value)}, which is not a number.",
            hint=f"Write a number from {least} to {most}, such as {_spelt(name, 7.5)}.",
        )
    if not least <= number <= most:
        raise SettingError(
            f"{name} is {_shown(value)}; it must be {least} to {most}.",
            hint=f"The nearest is {_spelt(name, least if number < least else most)}.",
        )
    return number


def _seed(name: str, value: str) -> Fields:
    """A1111's -1 means any seed. ComfyUI's have 64 bits; no smaller seed gives their picture."""
    if _WHOLE.fullmatch(value) and int(value) >= SEEDS:
        raise SettingError(
            f"{name} is {_shown(value)}; it must be -1 to {SEEDS - 1}.",
            hint=f"Leave `{name}` out for any seed, or write one up to {SEEDS - 1}. Other tools "
            "have larger seeds, which give another picture here.",
        )
    number = read_whole(name, value, -1, SEEDS - 1)
    return {"seed": None if number == -1 else number}


def _count(name: str, value: str) -> Fields:
    return {"count": read_whole(name, value, 1, MAX_COUNT)}


def _sampler(name: str, value: str) -> Fields:
    """Civitai writes "Undefined" where it does not know the sampler."""
    if value == "Undefined":
        return {}
    sampler, schedule_type = find_sampler(_named(name, value))
    return {"sampler": sampler} | _of_schedule(schedule_type)


def _schedule_type(name: str, value: str) -> Fields:
    return _of_schedule(find_schedule_type(_named(name, value)))


def _of_schedule(schedule_type: str | None) -> Fields:
    return {} if schedule_type in (None, AUTOMATIC) else {"schedule_type": schedule_type}


def _model(name: str, value: str) -> Fields:
    """A name, or an owner and a name; never a path."""
    _named(name, value)
    owner, *rest = value.split("/")
    path = "\\" in value or len(rest) > 1 or value[0] in "~." or value[1:2] == ":"
    if path or not all(part.strip(". ") for part in (owner, *rest)):
        raise SettingError(
            f"{name} is {_shown(value)}, which is a path.",
            hint="Write only the name of a model that the profile lists.",
        )
    return {"model": value}


def _named(name: str, value: str) -> str:
    if not value or len(value) > _LONGEST_NAME or not value.isprintable():
        raise SettingError(
            f"{name} is {_shown(value)}, which is not a name.", hint="Write its name."
        )
    return value


def _shown(value: str) -> str:
    return repr(shorten(value, 40))


SETTINGS: Mapping[str, Callable[[str, str], Fields]] = {
    "sampler": _sampler,
    "schedule_type": _schedule_type,
    "steps": _steps,
    "cfg_scale": _cfg_scale,
    "distilled_cfg_scale": _distilled_cfg_scale,
    "seed": _seed,
    "size": _size,
    "width": _width,
    "height": _height,
    "model": _model,
    "count": _count,
}
"""The reader of each setting: a function of the file's name for the setting, and the value."""
