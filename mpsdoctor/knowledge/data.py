"""The data files of `tables/`, as records."""

import sys
from typing import Any, TypeVar

import msgspec

from mpsdoctor.records import Record
from mpsdoctor.resources import knowledge

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

R = TypeVar("R", bound=Record)


class Row(Record, forbid_unknown_fields=True):
    """A piece of knowledge and where it comes from."""

    sources: tuple[str, ...]


def read(name: str, kind: type[R]) -> R:
    """The TOML file `name`. Raises ValueError if a row is incomplete or wrong."""
    return to_record(tomllib.loads(knowledge(name).read_text("utf-8")), kind)


def to_record(table: dict[str, Any], kind: type[R]) -> R:
    """The table as a record, versions and ranges of versions included; raises ValueError."""
    return msgspec.convert(table, kind, dec_hook=_to_version)


def _to_version(kind: type[Any], text: str) -> object:
    """Reads `packaging`'s Version and SpecifierSet."""
    return kind(text)
