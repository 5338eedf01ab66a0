"""A report where Python code is typed."""

import msgspec

from mpsdoctor.checks.runner import examine
from mpsdoctor.facts.records import Facts
from mpsdoctor.reports.notebook import ShownReport
from mpsdoctor.reports.text import render
from tests.support.machines import MACHINES


def test_a_notebook_shows_it_as_a_terminal_does() -> None:
    """A prompt shows text, a notebook shows color, and HTML is escaped."""
    recorded = (MACHINES / "m2-max-macos-13.7.4-torch-2.10.0.dev.json").read_bytes()
    facts = msgspec.json.decode(recorded, type=Facts)
    report = examine(facts)
    shown = ShownReport(facts=report.facts, results=report.results)

    page = shown._repr_html_()

    assert render(report).plain.rstrip() == repr(shown) == str(shown)
    assert report.outcome is shown.outcome
    assert "Software Update" in page
    assert "General &gt;" in page
    assert "<span" in page
