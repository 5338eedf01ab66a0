"""The recorded machines are whole."""

import re
from pathlib import Path

import pytest

from mpsdoctor.facts.model import Facts

HERE = Path(__file__).parent


@pytest.mark.parametrize("path", sorted(HERE.glob("*.json")), ids=lambda path: path.stem)
def test_a_recorded_machine_round_trips_through_json(path: Path) -> None:
    """Reading and writing a machine loses and adds nothing."""
    text = path.read_text(encoding="utf-8")
    facts = Facts.model_validate_json(text)
    assert text == facts.model_dump_json(indent=2, exclude_unset=True) + "\n"


def test_every_recorded_machine_has_a_source() -> None:
    """The table in README.md names exactly the machines that are there."""
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(.+?)` \| \S", readme, flags=re.MULTILINE)
    assert [path.stem for path in sorted(HERE.glob("*.json"))] == listed
