"""The disk refuses at any operation."""

from pathlib import Path

from tests.support.printed import printed_by


def test_a_disk_that_refuses_pauses_the_queue_and_costs_nothing(tmp_path: Path) -> None:
    """At each operation, once or for a while; no attempt counts, nothing is lost or doubled."""
    line = printed_by("disk_refusals", str(tmp_path), "a prompt")
    assert int(line.split()[-2]) >= 60
