"""How a model's authors call its pipeline; the data and its sources are in recommended.toml."""

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Final, Literal

from msgspec import field

from mpsdoctor.knowledge import data
from mpsdoctor.knowledge.data import Row
from mpsdoctor.records import Record

INDEX: Final = "model_index"
"""The name of model_index.json among the config files of a model."""

NO_GUIDANCE: Final = 1.0
"""The scale of classifier-free guidance at which the unconditional pass has no weight."""

_DENOISERS: Final = ("unet", "transformer")
_IN_CACHE: Final = re.compile(r"models--(.+?)--([^/]+)")
"""The name of a repository's folder in huggingface_hub's cache."""

TimestepSpacing = Literal["leading", "linspace", "trailing"]


class Recommendation(Row):
    """Settings of a Profile; None leaves a setting to the pipeline.

    `side` is the width and height, in pixels, of a square picture. `scheduler` is a class of
    Diffusers that replaces the one in the model's files.
    """

    name: str
    models: tuple[str, ...]
    marks: dict[str, str | bool | int | float] = field(default_factory=dict)
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    side: int | None = None
    scheduler: str | None = None
    timestep_spacing: TimestepSpacing | None = None


class Recommendations(Record, forbid_unknown_fields=True):
    """All of recommended.toml."""

    model: tuple[Recommendation, ...]


@cache
def load() -> Recommendations:
    """The file, validated."""
    return data.read("recommended.toml", Recommendations)


def find(model: str, configs: Mapping[str, Mapping[str, Any]]) -> Recommendation | None:
    """The recommendation for a model, or None.

    `configs` holds its config files by component name, with `INDEX`; it is empty if the model is
    not on this disk. The Hugging Face id comes first, then the marks in the files, then the name of
    the model that they were saved from.
    """
    return (
        _named(model)
        or next((row for row in load().model if row.marks and _has(configs, row.marks)), None)
        or next(filter(None, map(_named, _saved_from(configs))), None)
    )


def _named(model: str) -> Recommendation | None:
    return next(
        (row for row in load().model if any(fnmatchcase(model, one) for one in row.models)), None
    )


def _has(configs: Mapping[str, Mapping[str, Any]], marks: Mapping[str, object]) -> bool:
    for mark, wanted in marks.items():
        component, _, key = mark.partition(".")
        if not _matches(configs.get(component, {}).get(key), wanted):
            return False
    return True


def _matches(value: object, wanted: object) -> bool:
    if isinstance(wanted, str):
        return isinstance(value, str) and fnmatchcase(value, wanted)
    return value == wanted and isinstance(value, bool) is isinstance(wanted, bool)


def _saved_from(configs: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """The ids that Diffusers recorded; the denoiser's comes first, because it matters most."""
    for component in (*_DENOISERS, INDEX):
        name = configs.get(component, {}).get("_name_or_path")
        if isinstance(name, str):
            cached = _IN_CACHE.search(name)
            yield "/".join(cached.groups()) if cached else name
