"""Running checks: prerequisites and crashes."""

from mpsdoctor.checks.report import Check, Finding, Remedy, Severity, Status
from mpsdoctor.checks.runner import examine
from mpsdoctor.constants import ExitCode
from mpsdoctor.facts.records import Facts, Python, System

FACTS = Facts(system=System(kernel="Darwin"), python=Python())


def finding(severity: Severity) -> Finding:
    """A finding of `severity`."""
    return Finding(
        severity=severity, observed="o", expected="e", impact="i", remedy=Remedy(text="r")
    )


def fine(facts: Facts) -> None:
    """Find nothing."""


def broken(facts: Facts) -> Finding | None:
    """Stand for a mistake in a check."""
    raise ZeroDivisionError("by zero")


def error(facts: Facts) -> Finding:
    """Find an error."""
    return finding(Severity.ERROR)


def warning(facts: Facts) -> Finding:
    """Find a warning."""
    return finding(Severity.WARNING)


def test_a_crash_takes_nothing_with_it() -> None:
    """A crashed check gives its reason; checks that need it are skipped, others run."""
    checks = (
        Check("A", "first", broken),
        Check("B", "second", fine, requires=("A",)),
        Check("C", "third", fine),
    )
    report = examine(FACTS, checks)
    assert [(result.status, result.reason) for result in report.results] == [
        (Status.CRASHED, "ZeroDivisionError: by zero"),
        (Status.SKIPPED, "needs A (first)"),
        (Status.OK, ""),
    ]
    assert report.exit_code_at() is ExitCode.INTERNAL


def test_an_error_skips_what_needs_it_and_a_warning_does_not() -> None:
    """One cause is shown once, however many checks depend on it."""
    checks = (
        Check("A", "first", error),
        Check("B", "second", error, requires=("A",)),
        Check("C", "third", error, requires=("B",)),
        Check("D", "fourth", warning),
        Check("E", "fifth", warning, requires=("D", "not run")),
    )
    report = examine(FACTS, checks)
    expected = [Status.FINDING, Status.SKIPPED, Status.SKIPPED, Status.FINDING, Status.FINDING]
    assert expected == [result.status for result in report.results]
    assert [result.id for result in report.errors] == ["A"]
    assert report.exit_code_at() is ExitCode.FINDINGS
