"""The JSON that scripts rely on."""

from pathlib import Path

from mpsdoctor.reports.schema import schema

DOCUMENTED = Path(__file__).parents[2] / "docs" / "report.schema.json"


def test_the_documented_schema_is_that_of_the_code() -> None:
    """A changed record changes the documented schema."""
    assert schema() == DOCUMENTED.read_text("utf-8")
