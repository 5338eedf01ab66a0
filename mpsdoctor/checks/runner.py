"""Run the checks over one machine's facts."""

from collections.abc import Mapping, Sequence

from mpsdoctor.checks.registry import CHECKS
from mpsdoctor.checks.report import Check, NoAnswerError, Report, Result, Severity, Status
from mpsdoctor.facts.records import Facts


def examine(facts: Facts, checks: Sequence[Check] = CHECKS) -> Report:
    """Every check's result; a check that crashes does not stop the others."""
    results: dict[str, Result] = {}
    for check in checks:
        results[check.id] = _examine_one(check, facts, results)
    return Report(facts=facts, results=tuple(results.values()))


def _examine_one(check: Check, facts: Facts, earlier: Mapping[str, Result]) -> Result:
    for needed in check.requires:
        if needed in earlier and _blocks(earlier[needed]):
            reason = f"needs {needed} ({earlier[needed].title})"
            return _result(check, Status.SKIPPED, reason=reason, needs=needed)
    try:
        finding = check.examine(facts)
    except NoAnswerError as unanswered:
        return _result(check, unanswered.status, reason=unanswered.reason)
    except Exception as error:
        return _result(check, Status.CRASHED, reason=f"{type(error).__name__}: {error}")
    if finding is None:
        return _result(check, Status.OK)
    return Result(id=check.id, title=check.title, status=Status.FINDING, finding=finding)


def _blocks(result: Result) -> bool:
    """Only an error does: after a note or a warning, a later check still has an answer."""
    if result.finding is not None:
        return result.finding.severity is Severity.ERROR
    return result.status not in (Status.OK, Status.NOT_RECORDED)


def _result(check: Check, status: Status, *, reason: str = "", needs: str = "") -> Result:
    return Result(id=check.id, title=check.title, status=status, reason=reason, needs=needs)
