"""Reports as Markdown."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.checks.report import Check, Finding, Remedy, Severity
from mpsdoctor.checks.runner import examine
from mpsdoctor.facts.records import Facts, Python, System
from mpsdoctor.reports.markdown import render
from tests.support.machines import MACHINES

RECORDED = sorted(MACHINES.glob("*.json"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_recorded_machine_has_its_verdict_and_all_results(path: Path) -> None:
    """The verdict comes first; each check has its row."""
    report = examine(msgspec.json.decode(path.read_text(), type=Facts))

    lines = render(report).splitlines()

    assert lines[0].startswith("**")
    rows = [line for line in lines if line.startswith("| MPS")]
    assert [result.id for result in report.results] == [row.split()[1] for row in rows]


@given(st.text())
def test_no_text_breaks_out_of_its_place(text: str) -> None:
    """Any text stays on its line and in its table cell."""
    finding = Finding(
        severity=Severity.NOTE,
        observed=text,
        expected="x",
        impact="x",
        remedy=Remedy(text="x"),
    )
    check = Check("MPS999", "a title", lambda facts: finding)
    report = examine(Facts(system=System(kernel="Linux"), python=Python()), [check])

    [line] = [line for line in render(report).split("\n") if line.startswith("* observed: ")]

    assert "" == line.removeprefix("* observed: ").replace("\\|", "").partition("|")[1]
