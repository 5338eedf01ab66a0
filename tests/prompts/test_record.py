"""The job record in a picture."""

from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.prompts.record import JobRecord, format_record, read_record

RECORDS = st.builds(
    JobRecord,
    job=st.text(),
    picture=st.integers(1, 1000),
    remedy=st.text(),
    notes=st.lists(st.text()).map(tuple),
)


@given(RECORDS)
def test_the_record_comes_back(record: JobRecord) -> None:
    """What is written into a picture says which of which job it is, and what there is to say."""
    assert read_record(format_record(record)) == record


@given(st.none() | st.text(st.characters()))
def test_any_other_text_is_no_record(text: str | None) -> None:
    """A picture from elsewhere, whatever its text says, is nobody's, or names a job."""
    record = read_record(text)
    assert record is None or isinstance(record.job, str)
