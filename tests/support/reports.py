"""Findings and results made by hand; a part that does not matter is its own first letter."""

from mpsdoctor.checks.report import Finding, Remedy, Result, Severity, Status


def finding(severity: Severity, caveat: str = "", remedy: Remedy | None = None) -> Finding:
    """A finding of `severity`."""
    return Finding(
        severity=severity,
        observed="o",
        expected="e",
        impact="i",
        remedy=remedy or Remedy(text="r"),
        caveat=caveat,
    )


def found(name: str, severity: Severity, caveat: str = "", *, title: str = "") -> Result:
    """A result with a finding; its title is the id in small letters, unless given."""
    return Result(
        id=name,
        title=title or name.lower(),
        status=Status.FINDING,
        finding=finding(severity, caveat),
    )
