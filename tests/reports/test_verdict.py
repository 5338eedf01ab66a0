"""The last line of a report."""

import pytest

from mpsdoctor.checks.report import Report, Result, Severity, Status
from mpsdoctor.facts.records import Facts, ProbeOutcome, Python, System, Torch
from mpsdoctor.reports.verdict import verdict
from tests.support.reports import found

ASKED = Torch(outcome=ProbeOutcome.ANSWERED)


def lost(name: str) -> Result:
    """A result that is not known."""
    return Result(id=name, title=name.lower(), status=Status.CRASHED)


@pytest.mark.parametrize(
    ("results", "torch", "line"),
    [
        ((), ASKED, "Ready to render on mps"),
        ((), None, "No fault found; PyTorch was not asked"),
        (
            (
                found("A", Severity.WARNING, "not with flux"),
                found("B", Severity.NOTE),
                found("C", Severity.NOTE, "only by day"),
            ),
            ASKED,
            "Ready to render on mps, but not with flux, but only by day",
        ),
        (
            (found("B", Severity.ERROR, "a caveat"), lost("C"), found("A", Severity.ERROR)),
            ASKED,
            "Cannot render on mps: B (b), A (a)",
        ),
        (
            (lost("B"), found("A", Severity.NOTE, "a caveat"), lost("C")),
            None,
            "Not known whether this machine can render on mps: B (b), C (c)",
        ),
    ],
)
def test_the_verdict_names_what_it_rests_on(
    results: tuple[Result, ...], torch: Torch | None, line: str
) -> None:
    """Each outcome has its line, with every check or caveat behind it."""
    facts = Facts(system=System(kernel="Darwin"), python=Python(), torch=torch)

    assert line == verdict(Report(facts=facts, results=results))
