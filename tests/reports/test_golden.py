"""Whole reports, in every format."""

from pathlib import Path

import pytest

from tests.support import golden


@pytest.mark.parametrize("path", golden.reports(), ids=lambda path: path.name)
def test_a_report_is_as_it_was_read_and_approved(path: Path) -> None:
    """If it differs on purpose, `python -m tests.support.golden` writes it again."""
    assert path.read_text(encoding="utf-8") == golden.reports()[path]


def test_there_is_one_of_every_outcome_that_a_check_ends_with() -> None:
    """The reports are of a blocked and of a ready machine, and no file is left over."""
    verdicts = [
        report.splitlines()[-1]
        for path, report in golden.reports().items()
        if path.suffix == ".txt"
    ]
    assert "Cannot render on mps" in verdicts[0]
    assert "Ready to render on mps" == verdicts[1]
    assert set(golden.REPORTS.iterdir()) == set(golden.reports())
