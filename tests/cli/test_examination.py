"""What an examination looks at."""

import pytest

from mpsdoctor.cli.examination import examine_machine
from mpsdoctor.profile.subject import Subject

FLUX = "black-forest-labs/FLUX.1-schnell"


@pytest.mark.parametrize(
    ("subject", "model", "dtype"),
    [
        (Subject(model=FLUX, dtype="float16"), None, "float16"),
        (Subject(model=FLUX, dtype="float16"), FLUX, "float16"),
        (Subject(), FLUX, None),
    ],
)
def test_a_profiles_number_format_is_held_against_its_own_model_only(
    subject: Subject, model: str | None, dtype: str | None
) -> None:
    """A model named for the first time is not blamed for the format of the one before."""
    files = examine_machine(subject, model=model, quick=True).facts.model_files

    assert files is not None
    assert (FLUX, dtype) == (files.model, files.dtype)
