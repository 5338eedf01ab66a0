"""The profile's settings that a check needs, read without pydantic-settings.

Importing that library takes longer than the entire `mpsdoctor check --quick`.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from mpsdoctor.constants import EMBEDDED_MODEL, ENV_PREFIX
from mpsdoctor.paths import model_name
from mpsdoctor.profile import record
from mpsdoctor.records import Record

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_JSON = ("ignore", "environment")


class QuickSettings(Record):
    """The settings that a check needs, with the defaults of a Profile.

    `dtype` is None if the file's value is for another model; it is tuned then.
    """

    model: Annotated[str, msgspec.Meta(min_length=1)] = EMBEDDED_MODEL
    dtype: Literal["float16", "bfloat16", "float32"] | None = "float16"
    hot_folder: str = "~/mpsdoctor"
    ignore: tuple[str, ...] = ()
    environment: dict[str, str] = msgspec.field(default_factory=dict)


def read(path: Path | None, environ: Mapping[str, str]) -> QuickSettings:
    """The profile at `path`, overridden by `MPSDOCTOR_…`, as in `mpsdoctor.profile.loading`.

    The defaults if there is no profile, or a value is not understood; `load` explains why.
    """
    try:
        text = path.read_text("utf-8") if path and path.exists() else ""
        file, variables = tomllib.loads(text), dict(_environment(environ))
        settings = msgspec.convert(file | variables, QuickSettings)
    except (OSError, ValueError):
        return QuickSettings()
    is_own = "dtype" in variables or _is_for(settings.model, file, text)
    return msgspec.structs.replace(
        settings, model=model_name(settings.model), dtype=settings.dtype if is_own else None
    )


def _is_for(model: str, file: Mapping[str, object], text: str) -> bool:
    """Whether the file's number format was tuned or set by hand for this model."""
    recorded = record.read(text)
    tuned = recorded.values if recorded else {}
    own = model_name(str(file.get("model", EMBEDDED_MODEL)))
    if model_name(model) != own:
        return False
    by_hand = "dtype" in file and file["dtype"] != tuned.get("dtype")
    return by_hand or model_name(str(tuned.get("model", own))) == own


def _environment(environ: Mapping[str, str]) -> Iterator[tuple[str, object]]:
    for name in QuickSettings.__struct_fields__:
        text = environ.get(f"{ENV_PREFIX}{name.upper()}")
        if text is not None:
            yield name, json.loads(text) if name in _JSON else text
