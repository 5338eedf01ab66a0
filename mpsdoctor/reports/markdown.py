"""A report as Markdown, for an issue or an email."""

from collections.abc import Iterator

from mpsdoctor.checks.report import Finding, Report, Result
from mpsdoctor.facts.records import Facts
from mpsdoctor.reports.verdict import FIX, verdict
from mpsdoctor.units import whole_gib


def render(report: Report) -> str:
    """The machine, the verdict, each finding, and a table of every result."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"**{_escape(verdict(report))}**"
    yield ""
    yield from (f"* {line}" for line in _machine(report.facts))
    for result in report.results:
        if result.finding is not None:
            yield from _finding(result, result.finding)
    yield from ("", "| check | result |", "|---|---|")
    for result in report.results:
        reason = f": {_escape(result.reason)}" if result.reason else ""
        yield f"| {result.id} {_escape(result.title)} | {result.status.value}{reason} |"


def _machine(facts: Facts) -> Iterator[str]:
    system, hardware, python = facts.system, facts.hardware, facts.python
    if system.macos_version:
        yield f"macOS {system.macos_version} ({system.macos_build or 'build not known'})"
    else:
        yield system.kernel
    ram = whole_gib(hardware.ram_bytes) if hardware.ram_bytes else "memory not known"
    yield f"{hardware.chip or 'chip not known'}, {ram}"
    yield f"Python {python.version or 'not known'} ({python.machine or 'architecture not known'})"
    for name, version in sorted((facts.packages or {}).items()):
        yield f"{name} {version}"


def _finding(result: Result, finding: Finding) -> Iterator[str]:
    yield from ("", f"### {finding.severity.value}: {result.id} {_escape(result.title)}", "")
    yield f"* observed: {_escape(finding.observed)}"
    yield f"* expected: {_escape(finding.expected)}"
    yield f"* impact: {_escape(finding.impact)}"
    yield f"* remedy: {_escape(finding.remedy.text)}"
    if finding.remedy.commands:
        yield from ("", "```sh", *finding.remedy.commands, "```")
    if finding.remedy.fix:
        yield from ("", f"Fix: {FIX}")


def _escape(text: str) -> str:
    """One line without markup and without the end of a table cell."""
    line = " ".join(text.split())
    for mark in "\\`*_[]<>|":
        line = line.replace(mark, f"\\{mark}")
    return line
