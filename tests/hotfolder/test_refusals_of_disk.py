"""The disk refuses at any operation."""

from pathlib import Path

import pytest

from tests.support.crash_scenarios import SCENARIOS
from tests.support.printed import printed_by


def test_a_disk_that_refuses_pauses_the_queue_and_costs_nothing(tmp_path: Path) -> None:
    """At each operation, once or for a while; no attempt counts, nothing is lost or doubled."""
    line = printed_by("disk_refusals", str(tmp_path), "a prompt")
    assert int(line.split()[-2]) >= 60


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "scenario", [scenario.name for scenario in SCENARIOS if "crash" not in scenario.name]
)
def test_a_disk_that_refuses_in_any_way_costs_nothing(tmp_path: Path, scenario: str) -> None:
    """Each scenario, with every error at each operation, once and for a while."""
    line = printed_by("disk_refusals", str(tmp_path), scenario, "--every")

    assert int(line.split()[-2]) > 0
