"""The recorded machines are complete."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from mpsdoctor.facts.records import Facts

HERE = Path(__file__).parent


def _as_recorded(whole: object, recorded: object) -> object:
    """The part of `whole` that has keys in `recorded`."""
    if isinstance(whole, dict) and isinstance(recorded, dict):
        return {key: _as_recorded(whole.get(key, "?"), recorded[key]) for key in recorded}
    if isinstance(whole, (list, tuple)) and isinstance(recorded, list):
        return [_as_recorded(*pair) for pair in zip(whole, recorded, strict=True)]
    return whole


@pytest.mark.parametrize("path", sorted(HERE.glob("*.json")), ids=lambda path: path.stem)
def test_a_recorded_machine_round_trips_through_json(path: Path) -> None:
    """Reading and writing a machine loses and adds nothing."""
    recorded = json.loads(path.read_bytes())
    facts = msgspec.json.decode(path.read_bytes(), type=Facts)
    assert facts == msgspec.json.decode(msgspec.json.encode(facts), type=Facts)
    assert recorded == _as_recorded(msgspec.to_builtins(facts), recorded)


def test_every_recorded_machine_has_a_source() -> None:
    """The table in README.md names exactly the machines that are there."""
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(.+?)` \| \S", readme, flags=re.MULTILINE)
    assert [path.stem for path in sorted(HERE.glob("*.json"))] == listed
