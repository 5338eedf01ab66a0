"""A report that displays itself in a notebook and at a Python prompt."""

import html
import re

from mpsdoctor.checks.report import Finding, Remedy, Result, Severity, Status
from mpsdoctor.facts.records import Facts, Python, System
from mpsdoctor.reports.notebook import ShownReport
from mpsdoctor.reports.text import render

REPORT = ShownReport(
    facts=Facts(system=System(kernel="Darwin"), python=Python()),
    results=(
        Result(
            id="X1",
            title="one",
            status=Status.FINDING,
            finding=Finding(
                severity=Severity.ERROR,
                observed="a <b> & c",
                expected="e",
                impact="i",
                remedy=Remedy(text="r", commands=(f"python {'-x ' * 60}",)),
            ),
        ),
    ),
)


def test_a_notebook_shows_it_as_a_terminal_does() -> None:
    """A prompt and a notebook show the same text, in color there, with HTML escaped."""
    shown = render(REPORT).plain.rstrip()
    page = REPORT._repr_html_()

    assert shown == repr(REPORT) == str(REPORT)
    assert shown == html.unescape(re.sub(r"<[^>]*>", "", page)).rstrip()
    assert page.startswith('<pre style="font-family: monospace; white-space: pre-wrap; ')
    assert '<span style="color: #800000; text-decoration-color: #800000; font-weight: bold' in page
