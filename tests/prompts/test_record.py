"""The job record in a picture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.prompts.record import JobRecord, format_record, read_record

RECORDS = st.builds(
    JobRecord,
    job=st.text(),
    picture=st.integers(1, 1000),
    profile=st.text(),
    remedy=st.text(),
    notes=st.lists(st.text()).map(tuple),
)


@given(RECORDS)
def test_the_record_comes_back(record: JobRecord) -> None:
    """What is written into a picture says which of which job it is, and what there is to say."""
    assert read_record(format_record(record)) == record


def test_the_record_is_json_with_these_keys() -> None:
    """Pictures of older versions lack some keys, and those of newer versions have more."""
    record = JobRecord(job="a", picture=2, profile="f00", remedy="vae-float32", notes=("b", "c"))
    text = '{"job":"a","picture":2,"profile":"f00","remedy":"vae-float32","notes":["b","c"]}'

    assert format_record(record) == text
    assert read_record(text[:-1] + ', "later": 1}') == record
    assert read_record('{"job":"a"}') == JobRecord(job="a", picture=1)


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"picture": 1}', '{"job": 1}', "\ud800"])
def test_text_without_a_job_is_not_a_record(text: str | None) -> None:
    """Nothing is raised for a picture from elsewhere."""
    assert read_record(text) is None


@given(st.none() | st.text(st.characters()))
def test_any_other_text_raises_nothing(text: str | None) -> None:
    """Whatever the text of a picture from elsewhere says, nothing is raised."""
    record = read_record(text)
    assert record is None or isinstance(record.job, str)
