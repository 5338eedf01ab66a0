"""What an examination looks at."""

import pytest

from mpsdoctor.cli.examination import examine_machine
from mpsdoctor.profile.model import Profile

FLUX = "black-forest-labs/FLUX.1-schnell"


@pytest.mark.parametrize(
    ("profile", "model", "dtype"),
    [
        (Profile(model=FLUX, dtype="float16"), None, "float16"),
        (Profile(model=FLUX, dtype="float16"), FLUX, "float16"),
        (Profile(), FLUX, None),
    ],
)
def test_a_profiles_number_format_is_held_against_its_own_model_only(
    profile: Profile, model: str | None, dtype: str | None
) -> None:
    """A model named for the first time is not blamed for the format of the one before."""
    files = examine_machine(profile, model=model, quick=True).facts.model_files

    assert files is not None
    assert (FLUX, dtype) == (files.model, files.dtype)
