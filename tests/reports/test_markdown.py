"""Reports as Markdown."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.checks.report import (
    Check,
    Finding,
    Fix,
    FixKind,
    Remedy,
    Report,
    Result,
    Severity,
    Status,
)
from mpsdoctor.checks.runner import examine
from mpsdoctor.facts.records import Facts, Hardware, Python, System
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


KNOWN = Facts(
    system=System(kernel="Darwin", macos_version="15.5", macos_build="24F74"),
    hardware=Hardware(chip="Apple M1 Pro", ram_bytes=16 * 2**30),
    python=Python(version="3.12.8", machine="arm64"),
    packages={"torch": "2.13.0", "diffusers": "0.42.1"},
)
FINDING = Finding(
    severity=Severity.WARNING,
    observed="a | b\n* c",
    expected="<d>",
    impact="`e`",
    remedy=Remedy(text="_f_", commands=("one | two", "three"), fix=Fix(kind=FixKind.PROFILE)),
)
RESULTS = (
    Result(id="A", title="a|a", status=Status.FINDING, finding=FINDING),
    Result(id="B", title="b", status=Status.NOT_RECORDED, reason="x | y"),
    Result(id="C", title="c", status=Status.OK),
)


def test_a_report_is_written_whole() -> None:
    """The verdict, the machine, each finding and the table follow each other, all escaped."""
    assert """\
**No fault found; PyTorch was not asked**

* macOS 15.5 (24F74)
* Apple M1 Pro, 16 GiB
* Python 3.12.8 (arm64)
* diffusers 0.42.1
* torch 2.13.0

### warning: A a\\|a

* observed: a \\| b \\* c
* expected: \\<d\\>
* impact: \\`e\\`
* remedy: \\_f\\_

```sh
one | two
three
```

Fix: `mpsdoctor check --fix` does this, and `--undo` undoes it

| check | result |
|---|---|
| A a\\|a | finding |
| B b | not recorded: x \\| y |
| C c | ok |
""" == render(Report(facts=KNOWN, results=RESULTS))


@pytest.mark.parametrize(
    ("system", "named"),
    [
        (System(kernel="Linux"), "Linux"),
        (System(kernel="Darwin", macos_version="15.5"), "macOS 15.5 (build not known)"),
    ],
)
def test_what_is_not_known_of_a_machine_is_said(system: System, named: str) -> None:
    """Each unknown fact has its words, and a machine without known packages none."""
    report = Report(facts=Facts(system=system, python=Python()), results=())

    assert [
        f"* {named}",
        "* chip not known, memory not known",
        "* Python not known (architecture not known)",
        "",
        "| check | result |",
    ] == render(report).splitlines()[2:7]


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
