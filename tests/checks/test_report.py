"""From results to an outcome and an exit code."""

import pytest

from mpsdoctor.checks.report import (
    NoAnswerError,
    Outcome,
    Report,
    Result,
    Severity,
    Status,
)
from mpsdoctor.facts.records import Facts, ProbeOutcome, Python, System, Torch
from tests.support.reports import found

FACTS = Facts(system=System(kernel="Darwin"), python=Python())
ASKED = Facts(
    system=System(kernel="Darwin"), python=Python(), torch=Torch(outcome=ProbeOutcome.ANSWERED)
)
SKIPPED = Status.SKIPPED


def ended(name: str, status: Status, needs: str = "") -> Result:
    """A result without a finding."""
    return Result(id=name, title=name, status=status, needs=needs)


ERROR, WARNING, NOTE = (
    found(name, severity)
    for name, severity in (
        ("E", Severity.ERROR),
        ("W", Severity.WARNING),
        ("N", Severity.NOTE),
    )
)


@pytest.mark.parametrize(
    ("severity", "reached"),
    [
        (Severity.NOTE, {Severity.NOTE}),
        (Severity.WARNING, {Severity.NOTE, Severity.WARNING}),
        (Severity.ERROR, {Severity.NOTE, Severity.WARNING, Severity.ERROR}),
    ],
)
def test_severities_ascend(severity: Severity, reached: set[Severity]) -> None:
    """A severity reaches itself and all that are lower."""
    assert reached == {level for level in Severity if severity.reaches(level)}


@pytest.mark.parametrize(
    ("results", "outcome", "unknown", "codes"),
    [
        ((), Outcome.READY, "", "OK OK OK"),
        ((ended("A", Status.OK),), Outcome.READY, "", "OK OK OK"),
        ((ended("A", Status.NOT_RECORDED),), Outcome.READY, "", "OK OK OK"),
        ((NOTE,), Outcome.READY, "", "FINDINGS OK OK"),
        ((NOTE, WARNING), Outcome.READY, "", "FINDINGS FINDINGS OK"),
        ((ERROR, NOTE), Outcome.BLOCKED, "", "FINDINGS FINDINGS FINDINGS"),
        ((ended("A", Status.CRASHED),), Outcome.UNKNOWN, "A", "INTERNAL INTERNAL INTERNAL"),
        ((ended("A", Status.TIMED_OUT),), Outcome.UNKNOWN, "A", "INTERNAL INTERNAL INTERNAL"),
        ((ended("A", SKIPPED),), Outcome.UNKNOWN, "A", "INTERNAL INTERNAL INTERNAL"),
        (
            (ended("A", Status.CRASHED), ended("B", SKIPPED, needs="A"), ended("C", SKIPPED)),
            Outcome.UNKNOWN,
            "AC",
            "INTERNAL INTERNAL INTERNAL",
        ),
        ((ended("A", SKIPPED, needs="E"),), Outcome.READY, "", "OK OK OK"),
        ((ERROR, ended("A", SKIPPED)), Outcome.BLOCKED, "", "FINDINGS FINDINGS FINDINGS"),
        (
            (ended("A", Status.TIMED_OUT), ERROR, ended("B", SKIPPED), ended("C", Status.CRASHED)),
            Outcome.BLOCKED,
            "AC",
            "INTERNAL INTERNAL INTERNAL",
        ),
    ],
)
def test_results_come_down_to_an_outcome_and_an_exit_code(
    results: tuple[Result, ...], outcome: Outcome, unknown: str, codes: str
) -> None:
    """Errors block, unknown results are never ok, and findings count from the level on."""
    report = Report(facts=ASKED, results=results)

    assert outcome is report.outcome
    assert list(unknown) == [result.id for result in report.unknown]
    assert codes.split() == [report.exit_code_at(level).name for level in Severity]
    assert report.exit_code_at() is report.exit_code_at(Severity.ERROR)
    assert (ERROR,) * results.count(ERROR) == report.errors


@pytest.mark.parametrize(
    ("results", "outcome"),
    [
        ((WARNING,), Outcome.NOT_ASKED),
        ((ERROR,), Outcome.BLOCKED),
        ((ended("A", Status.CRASHED),), Outcome.UNKNOWN),
    ],
)
def test_without_torch_a_machine_is_not_ready(
    results: tuple[Result, ...], outcome: Outcome
) -> None:
    """Without an answer from torch, “not asked” takes the place of ready."""
    assert outcome is Report(facts=FACTS, results=results).outcome


def test_errors_and_caveats_keep_the_order_of_the_report() -> None:
    """Every error and every caveat is kept, the first one first."""
    results = (
        found("B", Severity.ERROR, "with care"),
        NOTE,
        found("A", Severity.ERROR),
        found("C", Severity.WARNING, "not with flux"),
    )
    report = Report(facts=ASKED, results=results)

    assert (results[0], results[2]) == report.errors
    assert ("with care", "not with flux") == report.caveats


def test_an_answer_that_is_missing_was_not_asked_for() -> None:
    """By default a check without an answer is skipped."""
    error = NoAnswerError("why")

    assert ("why", SKIPPED, "why") == (error.reason, error.status, str(error))
