"""A machine in a few words."""

from pathlib import Path

import msgspec
import pytest

from mpsdoctor.facts.records import Facts
from mpsdoctor.tuning.machine_name import machine_name
from tests.support.machines import MACHINES


@pytest.mark.parametrize(
    ("recorded", "name"),
    [
        ("m2-pro-macos-14.7.4-torch-2.6.0", "Apple M2 Pro, 32 GB, macOS 14.7.4, PyTorch 2.6.0"),
        ("m1-pro-16gb-macos-26.3.1", "Apple M1 Pro, 16 GB, macOS 26.3.1"),
        ("24gb-swap-1.8gb", "24 GB, macOS"),
        ("linux-bare", "24 GB, Linux"),
    ],
)
def test_what_is_not_known_is_left_out(recorded: str, name: str) -> None:
    """Of a Mac, and of a machine that is none."""
    path: Path = MACHINES / f"{recorded}.json"
    assert name == machine_name(msgspec.json.decode(path.read_bytes(), type=Facts))
