"""The disk refuses at any operation."""

from pathlib import Path

import pytest

from tests.support.crash_scenarios import SCENARIOS
from tests.support.printed import printed_by


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "scenario", [scenario.name for scenario in SCENARIOS if "crash" not in scenario.name]
)
def test_a_disk_that_refuses_in_any_way_costs_nothing(tmp_path: Path, scenario: str) -> None:
    """Each error at each operation, once and for a while; no attempt counts, nothing is lost."""
    line = printed_by("disk_refusals", str(tmp_path), scenario, "--every")

    assert int(line.split()[-2]) > 0
