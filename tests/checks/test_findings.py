"""The whole result of every check, on recorded machines and at its limits."""

from pathlib import Path

import pytest

from mpsdoctor.checks.registry import CHECKS
from mpsdoctor.checks.report import Finding, Remedy
from tests.support import constructed, golden


@pytest.fixture(scope="module")
def pages() -> dict[Path, str]:
    """The findings as they are now."""
    return golden.findings()


@pytest.mark.parametrize("path", golden.pages(), ids=lambda path: path.stem)
def test_every_finding_is_as_it_was_read_and_approved(path: Path, pages: dict[Path, str]) -> None:
    """If one differs on purpose, `python -m tests.support.golden` writes it again."""
    assert path.read_text(encoding="utf-8") == pages[path]


def test_the_golden_findings_are_complete() -> None:
    """Every check has machines made for it, every file is compared, and no field is left out."""
    assert [check.id for check in CHECKS] == sorted(constructed.rows())
    assert sorted(golden.FINDINGS.iterdir()) == golden.pages()
    assert (
        ("severity", "observed", "expected", "impact", "remedy", "caveat"),
        ("text", "commands", "fix"),
    ) == (Finding.__struct_fields__, Remedy.__struct_fields__)
