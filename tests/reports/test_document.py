"""A report as JSON, key by key."""

import json

from mpsdoctor.checks.report import (
    Finding,
    Fix,
    FixKind,
    Remedy,
    Report,
    Result,
    Severity,
    Status,
)
from mpsdoctor.facts.records import Facts, Python, System
from mpsdoctor.reports.document import render


def test_the_document_has_every_field_of_a_report() -> None:
    """The version, the outcome, the facts and each result are in it, with all that they say."""
    finding = Finding(
        severity=Severity.WARNING,
        observed="o",
        expected="e",
        impact="i",
        remedy=Remedy(
            text="r", commands=("one", "two"), fix=Fix(kind=FixKind.SETTINGS, settings=("dtype",))
        ),
        caveat="not with flux",
    )
    facts = Facts(system=System(kernel="Darwin"), python=Python())
    results = (
        Result(id="A", title="a", status=Status.FINDING, finding=finding),
        Result(id="B", title="b", status=Status.SKIPPED, reason="needs A (a)", needs="A"),
    )

    text = render(Report(facts=facts, results=results))

    document = json.loads(text)
    assert text == json.dumps(document, indent=2)
    read = document.pop("facts")
    assert {"kernel": "Darwin"} == {name: fact for name, fact in read["system"].items() if fact}
    assert set(facts.__struct_fields__) == set(read)
    assert {
        "schema_version": 1,
        "outcome": "not asked",
        "results": [
            {
                "id": "A",
                "title": "a",
                "status": "finding",
                "finding": {
                    "severity": "warning",
                    "observed": "o",
                    "expected": "e",
                    "impact": "i",
                    "remedy": {
                        "text": "r",
                        "commands": ["one", "two"],
                        "fix": {"kind": "put tuned values back", "settings": ["dtype"]},
                    },
                    "caveat": "not with flux",
                },
                "reason": "",
                "needs": "",
            },
            {
                "id": "B",
                "title": "b",
                "status": "skipped",
                "finding": None,
                "reason": "needs A (a)",
                "needs": "A",
            },
        ],
    } == document
