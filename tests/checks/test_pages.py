"""The pages that `mpsdoctor explain` prints."""

from pathlib import Path

import pytest

from mpsdoctor.checks.registry import CHECKS
from mpsdoctor.cli import main
from mpsdoctor.constants import ExitCode
from mpsdoctor.resources import shipped

PAGES = sorted(shipped("docs/checks").glob("MPS*.md"))
TITLES = {check.id: check.title for check in CHECKS}
HEADINGS = [
    "## What it checks",
    "## Why it matters",
    "## How to fix it",
    "## When to ignore it",
    "## Sources",
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_the_title_of_its_check_and_five_parts(page: Path) -> None:
    """Every page has the same parts, and ends with its sources."""
    lines = page.read_text("utf-8").splitlines()
    assert lines[0] == f"# {page.stem}: {TITLES[page.stem]}"
    assert [line for line in lines if line.startswith("## ")] == HEADINGS
    assert lines[-1].startswith("- ")


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("MPS999", "`mpsdoctor check -v` shows the ids."),
        ("mps 304", "Did you mean MPS304?"),
        ("MPS3O4", "Did you mean MPS304?"),
    ],
)
def test_a_page_that_is_not_there_is_not_guessed_at(
    capsys: pytest.CaptureFixture[str], asked: str, hint: str
) -> None:
    """A typo gets a suggestion; an unknown number gets the list."""
    assert ExitCode.USAGE is main.run(["explain", asked])
    assert hint in capsys.readouterr().err


def test_every_check_has_a_page() -> None:
    """Every check has a page."""
    assert TITLES.keys() <= {page.stem for page in PAGES}
