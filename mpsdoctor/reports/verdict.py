"""The last line of a report, and the line that says what can be fixed."""

from collections.abc import Sequence

from mpsdoctor.checks.report import Outcome, Report, Result

FIX = "`mpsdoctor check --fix` does this, and `--undo` undoes it"


def verdict(report: Report) -> str:
    """Whether this machine can render on mps, and if not or not known, which checks say so."""
    match report.outcome:
        case Outcome.BLOCKED:
            return f"Cannot render on mps: {_names(report.errors)}"
        case Outcome.UNKNOWN:
            return f"Not known whether this machine can render on mps: {_names(report.unknown)}"
        case Outcome.READY:
            return ", but ".join(("Ready to render on mps", *report.caveats))
        case Outcome.NOT_ASKED:
            return "No fault found; PyTorch was not asked"


def _names(results: Sequence[Result]) -> str:
    return ", ".join(f"{result.id} ({result.title})" for result in results)
