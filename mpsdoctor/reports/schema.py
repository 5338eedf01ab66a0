"""The JSON Schema of `mpsdoctor check --format json`: `python -m mpsdoctor.reports.schema`."""

import json

import msgspec

from mpsdoctor.reports.document import Document


def schema() -> str:
    """The content of docs/report.schema.json, in draft 2020-12."""
    return json.dumps(msgspec.json.schema(Document), indent=2) + "\n"


if __name__ == "__main__":
    print(schema(), end="")  # noqa: T201
