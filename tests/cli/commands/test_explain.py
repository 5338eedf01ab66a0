"""`mpsdoctor explain`."""

from pathlib import Path

import pytest

from mpsdoctor.cli import main
from mpsdoctor.constants import ExitCode
from mpsdoctor.knowledge.faults import matching

PAGES = Path(__file__).parents[3] / "docs" / "checks"


@pytest.mark.parametrize("name", ["MPS304", "mps304"])
def test_a_checks_page_is_shown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As Markdown in a pipe."""
    assert ExitCode.OK is main.run(["explain", name])
    assert ((PAGES / "MPS304.md").read_text("utf-8"), "") == capsys.readouterr()


def test_a_faults_page_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """By its id, in upper or lower case."""
    fault = matching.load()[0]

    assert ExitCode.OK is main.run(["explain", fault.id.upper()])
    assert (matching.page(fault).rstrip() + "\n", "") == capsys.readouterr()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("MPS999", "`mpsdoctor check -v` shows the ids."),
        ("mps30", "Did you mean MPS310?"),
        ("zzz", "`mpsdoctor check -v` shows the ids."),
    ],
)
def test_an_unknown_id_is_a_usage_error(
    name: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The number of a check is not guessed, because another is another check."""
    assert ExitCode.USAGE is main.run(["explain", name])
    assert ("", f"Error: There is no check or fault {name}\n  {hint}\n") == capsys.readouterr()
