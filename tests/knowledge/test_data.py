"""The tables as records: nothing in them is ignored."""

import copy
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from mpsdoctor.knowledge.chips import Chips
from mpsdoctor.knowledge.data import to_record
from mpsdoctor.knowledge.dtypes import Dtypes
from mpsdoctor.knowledge.faults.matching import Faults
from mpsdoctor.knowledge.floors import Floors
from mpsdoctor.knowledge.macos import MacosFaults
from mpsdoctor.knowledge.messages import Messages
from mpsdoctor.knowledge.recommended import Recommendations
from mpsdoctor.knowledge.variables import Variables
from mpsdoctor.records import Record
from mpsdoctor.resources import knowledge

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLES: dict[str, type[Record]] = {
    "chips": Chips,
    "dtypes": Dtypes,
    "faults": Faults,
    "floors": Floors,
    "macos": MacosFaults,
    "messages": Messages,
    "recommended": Recommendations,
    "variables": Variables,
}
FREE = {"settings", "marks", "hints"}
"""Keys of tables whose own keys are free."""


def places(table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The table itself, and every kind of table in it."""
    yield table
    for key, value in table.items():
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict) and key not in FREE:
            yield from places(first)


@pytest.mark.parametrize("name", TABLES)
def test_a_misspelled_key_is_refused_everywhere(name: str) -> None:
    """An unknown key, at the top of a table or in a row, is an error and names the key."""
    text = knowledge(f"{name}.toml").read_text("utf-8")
    table = tomllib.loads(text)
    to_record(table, TABLES[name])

    for index in range(len(list(places(table)))):
        spoiled = copy.deepcopy(table)
        list(places(spoiled))[index]["widht"] = 1
        with pytest.raises(ValueError, match="widht"):
            to_record(spoiled, TABLES[name])
