"""The JSON Schema of `mpsdoctor check --format json`: `python -m mpsdoctor.reports.schema`."""

import json

from mpsdoctor.checks.model import Report


def schema() -> str:
    """What docs/report.schema.json holds."""
    return json.dumps(Report.model_json_schema(mode="serialization"), indent=2) + "\n"


if __name__ == "__main__":
    print(schema(), end="")  # noqa: T201
