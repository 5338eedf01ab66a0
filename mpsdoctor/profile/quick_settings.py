"""What a profile tells an examination to look at, read without the library that validates it.

Importing pydantic-settings takes longer than all of `mpsdoctor check --quick`.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from mpsdoctor.constants import EMBEDDED_MODEL, ENV_PREFIX
from mpsdoctor.records import Record

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_JSON = ("ignore", "environment")


class QuickSettings(Record):
    """The settings that an examination needs, with the defaults of a Profile.

    `dtype` is None where a variable names another model than the file's: it is tuned then.
    """

    model: Annotated[str, msgspec.Meta(min_length=1)] = EMBEDDED_MODEL
    dtype: Literal["float16", "bfloat16", "float32"] | None = "float16"
    hot_folder: str = "~/mpsdoctor"
    ignore: tuple[str, ...] = ()
    environment: dict[str, str] = msgspec.field(default_factory=dict)


def read(path: Path | None, environ: Mapping[str, str]) -> QuickSettings:
    """The profile at `path`, overridden by `MPSDOCTOR_…`, as `mpsdoctor.profile.loading` does.

    The defaults where there is none, or where a value is not understood: `load` says why.
    """
    try:
        file, variables = _file(path), dict(_environment(environ))
        settings = msgspec.convert(file | variables, QuickSettings)
    except (OSError, ValueError):
        return QuickSettings()
    is_files = settings.model == file.get("model", EMBEDDED_MODEL)
    if is_files or "dtype" in variables:
        return settings
    return msgspec.structs.replace(settings, dtype=None)


def _file(path: Path | None) -> dict[str, object]:
    return tomllib.loads(path.read_text("utf-8")) if path and path.exists() else {}


def _environment(environ: Mapping[str, str]) -> Iterator[tuple[str, object]]:
    for name in QuickSettings.__struct_fields__:
        text = environ.get(f"{ENV_PREFIX}{name.upper()}")
        if text is not None:
            yield name, json.loads(text) if name in _JSON else text
