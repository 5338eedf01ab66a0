"""A report as JSON, for programs; its schema is public."""

from typing import Literal

import msgspec

from mpsdoctor.checks.report import Outcome, Report, Result
from mpsdoctor.constants import REPORT_SCHEMA
from mpsdoctor.facts.records import Facts
from mpsdoctor.records import Record


class Document(Record, kw_only=True):
    """What `mpsdoctor check --format json` prints: a report and its outcome."""

    schema_version: Literal[1] = REPORT_SCHEMA
    outcome: Outcome
    facts: Facts
    results: tuple[Result, ...]


def render(report: Report) -> str:
    """The document, indented."""
    document = Document(outcome=report.outcome, facts=report.facts, results=report.results)
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
