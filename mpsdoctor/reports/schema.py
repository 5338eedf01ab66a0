"""The JSON Schema of `mpsdoctor check --format json`: `python -m mpsdoctor.reports.schema`."""

import inspect
import json
from typing import Any

import msgspec

from mpsdoctor.reports.document import Document


def schema() -> str:
    """The content of docs/report.schema.json, in draft 2020-12."""
    document = msgspec.json.schema(Document)
    for record in document["$defs"].values():
        _dedent(record)
    return json.dumps(document, indent=2) + "\n"


def _dedent(record: dict[str, Any]) -> None:
    """Since Python 3.13 the compiler does this (whatsnew/3.13.html, Other Language Changes)."""
    if "description" in record:
        record["description"] = inspect.cleandoc(record["description"])


if __name__ == "__main__":
    print(schema(), end="")  # noqa: T201
