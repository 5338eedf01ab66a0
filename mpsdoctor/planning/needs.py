"""What common models need, generated beforehand by `mpsdoctor.planning.generate`; no torch."""

from pathlib import Path

import msgspec

from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.planning import catalogue
from mpsdoctor.planning.footprint import Footprint
from mpsdoctor.records import Record
from mpsdoctor.resources import PACKAGE

NEEDS = PACKAGE / "planning" / "needs"
"""One JSON file a model, named like its architecture's."""


class Needs(Record):
    """The footprints of one architecture at a few sizes in every number format.

    `key` is its `Configs.key`, `made_with` the versions of the libraries that were traced.
    """

    model: str
    key: str
    made_with: dict[str, str]
    footprints: tuple[Footprint, ...]


class _Key(Record):
    key: str


def of_model(model: str) -> Needs | None:
    """By the model's id, `shapes` included, or by a pattern that its architecture lists."""
    if model == EMBEDDED_MODEL:
        return _read(NEEDS / f"{model}.json")
    known = catalogue.find(model)
    return of_configs(known.key) if known else None


def of_configs(key: str) -> Needs | None:
    """By the digest of config files."""
    for path in sorted(NEEDS.glob("*.json")):
        if msgspec.json.decode(path.read_bytes(), type=_Key).key == key:
            return _read(path)
    return None


def exact(needs: Needs, width: int, height: int, dtype: str) -> Footprint | None:
    """The footprint at this size, if it was traced."""
    return next(
        (
            one
            for one in needs.footprints
            if (one.width, one.height, one.dtype) == (width, height, dtype)
        ),
        None,
    )


def _read(path: Path) -> Needs:
    return msgspec.json.decode(path.read_bytes(), type=Needs)
