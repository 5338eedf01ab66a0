"""The one line that a report comes down to."""

from collections.abc import Sequence

from mpsdoctor.checks.model import Report, Result


def verdict(report: Report) -> str:
    """Whether this machine can render on mps, cannot, or what leaves that open."""
    if report.errors:
        return f"Cannot render on mps: {_names(report.errors)}"
    if report.unknown:
        return f"Not known whether this machine can render on mps: {_names(report.unknown)}"
    return "Ready to render on mps"


def _names(results: Sequence[Result]) -> str:
    return ", ".join(f"{result.id} ({result.title})" for result in results)
