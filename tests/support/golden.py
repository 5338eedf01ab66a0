"""Write what tests compare: `python -m tests.support.golden`.

These are whole reports, for tests/reports/test_golden.py, and the whole result of every check on
every machine, for tests/checks/test_findings.py. Run it after a change to a check or a report, and
read the difference before you commit it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from mpsdoctor.checks.registry import CHECKS
from mpsdoctor.checks.report import Check, Report, Result
from mpsdoctor.checks.runner import examine
from mpsdoctor.facts.records import Facts
from mpsdoctor.reports import document, markdown, text
from tests.support import constructed
from tests.support.machines import MACHINES

REPORTS = Path(__file__).parents[1] / "reports" / "golden"
FINDINGS = Path(__file__).parents[1] / "checks" / "golden"
BLOCKED = "m2-max-macos-13.7.4-torch-2.10.0.dev"
READY = "m2-pro-macos-14.7.4-torch-2.6.0"
FORMATS: dict[str, Callable[[Report], str]] = {
    "json": lambda report: document.render(report) + "\n",
    "md": markdown.render,
    "txt": lambda report: text.render(report, verbose=True, width=80).plain + "\n",
}


def recorded() -> dict[str, Facts]:
    """Every recorded machine; the key is its name."""
    return {
        path.stem: msgspec.json.decode(path.read_bytes(), type=Facts)
        for path in sorted(MACHINES.glob("*.json"))
    }


def reports() -> dict[Path, str]:
    """Each file of a whole report with its content."""
    machines = recorded()
    return {
        REPORTS / f"{name}.{suffix}": render(examine(machines[name]))
        for name in (BLOCKED, READY)
        for suffix, render in FORMATS.items()
    }


def pages() -> list[Path]:
    """The files of findings: a family of checks each."""
    return sorted({FINDINGS / f"{check.id[:4]}xx.txt" for check in CHECKS})


def findings() -> dict[Path, str]:
    """Each file of findings with its content."""
    machines, rows = recorded(), constructed.rows()
    texts = {check.id: "\n".join(_page(check, machines, rows[check.id])) for check in CHECKS}
    return {
        path: "\n\n".join(text for name, text in texts.items() if name[:4] == path.stem[:4]) + "\n"
        for path in pages()
    }


def _page(check: Check, machines: dict[str, Facts], rows: constructed.Rows) -> Iterator[str]:
    """Every different result once, with its machines: `row` is one that was made for the check.

    The result of most recorded machines comes last, and does not name them.
    """
    yield f"==== {check.id} {check.title} ===="
    yield f"needs {' '.join(check.requires) or 'nothing'}{', asks torch' * check.asks_torch}"
    found: dict[tuple[str, ...], list[str]] = {}
    for name, facts in machines.items():
        found.setdefault(_result(check, facts), []).append(name)
    common = max(found, key=lambda result: len(found[result]))
    named = {result: names for result, names in found.items() if result != common}
    of_rows: dict[tuple[str, ...], list[str]] = {}
    for name, facts in rows.items():
        of_rows.setdefault(_result(check, facts), []).append(name)
    for result in dict.fromkeys((*named, *of_rows, common)):
        yield from ("", *result)
        yield from (f"  row {name}" for name in of_rows.get(result, ()))
        if result == common:
            yield "  all other recorded machines"
        elif result in named:
            yield f"  on {', '.join(named[result])}"


def _result(check: Check, facts: Facts) -> tuple[str, ...]:
    """How a check ends by itself, whatever it requires, with every field of its finding."""
    (result,) = examine(facts, (check,)).results
    return tuple(_lines(result))


def _lines(result: Result) -> Iterator[str]:
    finding = result.finding
    if finding is None:
        yield f"{result.status.value}: {result.reason}" if result.reason else result.status.value
        return
    yield finding.severity.value
    yield f"observed  {finding.observed}"
    yield f"expected  {finding.expected}"
    yield f"impact    {finding.impact}"
    yield f"remedy    {finding.remedy.text}"
    yield from (f"        $ {command}" for command in finding.remedy.commands)
    if finding.remedy.fix:
        yield f"fix       {' '.join((finding.remedy.fix.kind.value, *finding.remedy.fix.settings))}"
    if finding.caveat:
        yield f"caveat    {finding.caveat}"


if __name__ == "__main__":
    for folder in (REPORTS, FINDINGS):
        folder.mkdir(exist_ok=True)
    for path, content in {**reports(), **findings()}.items():
        path.write_text(content, encoding="utf-8")
