"""The data files of this folder, as records."""

from typing import TypeVar

import tomlkit

from mpsdoctor.records import Record
from mpsdoctor.resources import knowledge

R = TypeVar("R", bound=Record)


def read(name: str, kind: type[R]) -> R:
    """The TOML file `name`. Raises pydantic.ValidationError where a row is not whole."""
    return kind.model_validate(tomlkit.parse(knowledge(name).read_text("utf-8")).unwrap())
