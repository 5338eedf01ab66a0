"""A report as text for a terminal: first the problems, then the verdict."""

import textwrap
from collections.abc import Iterator

from rich.text import Text

from mpsdoctor.checks.report import Finding, Outcome, Report, Result, Severity, Status
from mpsdoctor.facts.records import Picture
from mpsdoctor.knowledge import tolerances
from mpsdoctor.reports.verdict import FIX, verdict

_STYLES = {
    Severity.ERROR.value: "bold red",
    Severity.WARNING.value: "yellow",
    Severity.NOTE.value: "cyan",
    "not known": "bold magenta",
    Status.OK.value: "green",
    Status.SKIPPED.value: "dim",
    Status.NOT_RECORDED.value: "dim",
}
_OUTCOME_STYLES = {
    Outcome.READY: "bold green",
    Outcome.BLOCKED: "bold red",
    Outcome.UNKNOWN: "bold magenta",
    Outcome.NOT_ASKED: "green",
}
_INDENT = " " * 4
_LABEL_WIDTH = 10


def render(report: Report, verbose: bool = False, *, width: int = 80) -> Text:
    """The report with its prose wrapped at `width` columns; `verbose` shows every result.

    Each command stays on one line, however long, so that it can be copied. Print the text with
    `Console.print(text, soft_wrap=True)`; otherwise rich breaks commands at the window's edge.
    """
    page = Text()
    problems = [result for result in report.results if _is_problem(result, report)]
    for result in problems:
        page.append_text(_problem(result, width))
        page.append("\n")
    if verbose:
        others = [result for result in report.results if result not in problems]
        for result in others:
            page.append_text(_heading(result, result.status.value))
        page.append("\n" if others else "")
    return page.append(verdict(report), style=_OUTCOME_STYLES[report.outcome])


def _is_problem(result: Result, report: Report) -> bool:
    return result.finding is not None or result in report.unknown


def _problem(result: Result, width: int) -> Text:
    if result.finding is None:
        page = _heading(result, "not known", with_reason=False)
        return page.append(_paragraph("reason", result.reason, width))
    page = _heading(result, result.finding.severity.value)
    for line in _finding_lines(result.finding, width):
        page.append(line)
    return page


def _heading(result: Result, state: str, *, with_reason: bool = True) -> Text:
    reason = f": {_plain(result.reason)}" if with_reason and result.reason else ""
    return Text.assemble(
        (f"{state:<9}", _STYLES.get(state, "")),
        " ",
        (result.id, "bold"),
        f"  {result.title}{reason}\n",
    )


def _finding_lines(finding: Finding, width: int) -> Iterator[str]:
    yield _paragraph("observed", finding.observed, width)
    yield _paragraph("expected", finding.expected, width)
    yield _paragraph("impact", finding.impact, width)
    yield _paragraph("remedy", finding.remedy.text, width)
    for command in finding.remedy.commands:
        yield f"{_INDENT * 2}{_plain(command)}\n"
    if finding.remedy.fix:
        yield _paragraph("fix", FIX, width)


def _paragraph(label: str, words: str, width: int) -> str:
    hanging = _INDENT + " " * _LABEL_WIDTH
    return (
        textwrap.fill(
            _plain(words),
            width=max(width, 2 * len(hanging)),
            initial_indent=f"{_INDENT}{label:<{_LABEL_WIDTH}}",
            subsequent_indent=hanging,
            break_long_words=False,
            break_on_hyphens=False,
        )
        + "\n"
    )


def _plain(words: str) -> str:
    """One line without control characters, which could come from another program's output."""
    return "".join(letter if letter.isprintable() else " " for letter in words).strip()


def picture_line(picture: Picture | None) -> str:
    """How close it is to the CPU's and how long it took, or why there are no numbers."""
    if picture is None:
        return "Picture: not rendered. The report says why PyTorch cannot use the device."
    what = f"Picture on {picture.device} in {picture.dtype}: "
    if picture.rms is None:
        return what + (picture.detail or f"{picture.not_finite} of its numbers are not finite")
    allowed = picture.tolerance or tolerances.PICTURE
    differs = (
        f"{picture.rms:.3g} levels of 255 from the CPU's (root mean square; up to "
        f"{allowed:g} is rounding), {picture.largest or 0:.3g} at most"
    )
    return (
        f"{what}{differs}; {picture.seconds or 0:.1f} s, the CPU {picture.cpu_seconds or 0:.1f} s"
    )
