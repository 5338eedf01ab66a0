"""The fingerprint of settings, and how settings are listed and changed."""

import pytest
from pydantic import ValidationError

from mpsdoctor.profile.settings import Profile, fingerprint


def test_it_is_the_same_as_long_as_pictures_are() -> None:
    """Folders, ignored checks and the order of variables do not change the fingerprint."""
    profile = Profile(environment={"A": "1", "B": "2"})
    elsewhere = Profile(
        environment={"B": "2", "A": "1"}, hot_folder="/x", ignore=["MPS101"], models=["y"]
    )
    assert fingerprint(profile) == fingerprint(elsewhere)
    assert len(fingerprint(profile)) == 16


def test_every_setting_of_a_picture_counts() -> None:
    """Another number format, attention, size or variable is another fingerprint."""
    changed = [
        Profile(),
        Profile(dtype="float32"),
        Profile(attention="bounded"),
        Profile(width=512),
        Profile(guidance_scale=0),
        Profile(scheduler="LCMScheduler"),
        Profile(timestep_spacing="trailing"),
        Profile(model="other"),
        Profile(environment={"A": "1"}),
    ]
    assert len({fingerprint(profile) for profile in changed}) == len(changed)


def test_dir_names_settings_and_verbs() -> None:
    """Tab completion hides pydantic's names, which still work."""
    public = {name for name in dir(Profile()) if not name.startswith("_")}

    assert {*Profile.model_fields, "activate"} == public
    assert Profile().model_dump()["device"] == "mps"


def test_a_copy_holds_to_the_same_rules_as_a_new_profile() -> None:
    """A copy validates changed values as the constructor does."""
    profile = Profile(device="cpu", environment={"A": "1"})

    changed = profile.model_copy(update={"width": "512"})

    assert (512, "cpu") == (changed.width, changed.device)
    assert {"device", "environment", "width"} == changed.model_fields_set
    assert profile == profile.model_copy()
    assert profile.environment is not profile.model_copy(deep=True).environment
    for wrong in ({"dtype": "bogus"}, {"widht": 512}, {"height": 511}):
        with pytest.raises(ValidationError):
            profile.model_copy(update=wrong)
