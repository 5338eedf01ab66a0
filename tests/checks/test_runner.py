"""Running checks: requirements and crashes."""

from collections.abc import Callable

import pytest

from mpsdoctor.checks.registry import CHECKS
from mpsdoctor.checks.report import (
    Check,
    Finding,
    NoAnswerError,
    Report,
    Result,
    Severity,
    Status,
)
from mpsdoctor.checks.runner import examine
from mpsdoctor.facts.records import Facts, Python, System
from tests.support.reports import finding

FACTS = Facts(system=System(kernel="Darwin"), python=Python())


def fine(facts: Facts) -> None:
    """Find nothing."""


def broken(facts: Facts) -> Finding | None:
    """Stand for a mistake in a check."""
    raise ZeroDivisionError("by zero")


def finds(severity: Severity) -> Callable[[Facts], Finding]:
    """A check that has a finding."""
    return lambda _facts: finding(severity)


def lacks(status: Status) -> Callable[[Facts], Finding | None]:
    """A check that has no answer."""

    def examine_nothing(_facts: Facts) -> Finding | None:
        raise NoAnswerError(f"no {status.value}", status)

    return examine_nothing


def test_a_crash_takes_nothing_with_it() -> None:
    """A crashed check gives its reason; checks that need it are skipped, others run."""
    checks = (
        Check("A", "first", broken),
        Check("B", "second", fine, requires=("A",)),
        Check("C", "third", fine),
    )

    assert examine(FACTS, checks) == Report(
        facts=FACTS,
        results=(
            Result(
                id="A", title="first", status=Status.CRASHED, reason="ZeroDivisionError: by zero"
            ),
            Result(
                id="B", title="second", status=Status.SKIPPED, reason="needs A (first)", needs="A"
            ),
            Result(id="C", title="third", status=Status.OK),
        ),
    )


@pytest.mark.parametrize(
    ("needed", "runs"),
    [
        (fine, True),
        (finds(Severity.NOTE), True),
        (finds(Severity.WARNING), True),
        (finds(Severity.ERROR), False),
        (broken, False),
        (lacks(Status.NOT_RECORDED), True),
        (lacks(Status.SKIPPED), False),
        (lacks(Status.TIMED_OUT), False),
        (lacks(Status.CRASHED), False),
    ],
)
def test_a_check_runs_unless_what_it_needs_has_failed(
    needed: Callable[[Facts], Finding | None], runs: bool
) -> None:
    """Only an error and a missing answer that the verdict needs stop a check."""
    checks = (Check("A", "first", needed), Check("B", "second", finds(Severity.NOTE), ("X", "A")))

    [_, second] = examine(FACTS, checks).results

    note = finding(Severity.NOTE)
    assert second == (
        Result(id="B", title="second", status=Status.FINDING, finding=note)
        if runs
        else Result(
            id="B", title="second", status=Status.SKIPPED, reason="needs A (first)", needs="A"
        )
    )


def test_one_cause_is_named_through_any_number_of_steps() -> None:
    """A skipped check names the first failed requirement, and stops those that need it."""
    checks = (
        Check("A", "first", finds(Severity.ERROR)),
        Check("B", "second", lacks(Status.TIMED_OUT)),
        Check("C", "third", fine, requires=("B", "A")),
        Check("D", "fourth", fine, requires=("C",)),
    )

    results = examine(FACTS, checks).results

    assert [
        (Status.FINDING, "", ""),
        (Status.TIMED_OUT, "no timed out", ""),
        (Status.SKIPPED, "needs B (second)", "B"),
        (Status.SKIPPED, "needs C (third)", "C"),
    ] == [(result.status, result.reason, result.needs) for result in results]


def test_every_registered_check_runs_by_default() -> None:
    """Without a choice, every check of the registry has a result."""
    results = examine(FACTS).results

    assert [(check.id, check.title) for check in CHECKS] == [
        (result.id, result.title) for result in results
    ]
