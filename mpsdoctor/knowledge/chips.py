"""Which GPU a chip has; the data is in chips.toml."""

import re
from functools import cache
from typing import Literal

from mpsdoctor.knowledge import data
from mpsdoctor.records import Record

Family = Literal["apple7", "apple8", "apple9", "apple10", "mac2"]


class Chip(Record, forbid_unknown_fields=True):
    """All chips whose brand begins with `name`, such as Pro, Max and Ultra."""

    name: str
    family: Family


class Chips(Record, forbid_unknown_fields=True):
    """All of chips.toml."""

    chips: tuple[Chip, ...]


@cache
def load() -> tuple[Chip, ...]:
    """The file, validated."""
    return data.read("chips.toml", Chips).chips


def family(brand: str | None) -> Family | None:
    """Metal's GPU family of `brand`, as sysctl's machdep.cpu.brand_string has it ("Apple M1 Pro").

    None if the chip is unknown or newer than the table.
    """
    known = (chip for chip in load() if re.match(rf"{re.escape(chip.name)}\b", brand or ""))
    return next((chip.family for chip in known), None)


def names(wanted: Family) -> tuple[str, ...]:
    """The short names of a family's chips: "M3", "M4"."""
    return tuple(chip.name.removeprefix("Apple ") for chip in load() if chip.family == wanted)
