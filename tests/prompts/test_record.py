"""The job record in a picture."""

from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.prompts.record import format_record, job_of


def test_the_job_comes_back() -> None:
    """What is written into a picture names its job."""
    assert job_of(format_record("20261122-abc")) == "20261122-abc"


@given(st.none() | st.text())
def test_any_other_text_names_no_job(text: str | None) -> None:
    """A picture from elsewhere, whatever its text says, is taken for nobody's job or a string's."""
    assert isinstance(job_of(text), str | None)
