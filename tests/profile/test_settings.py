"""The fingerprint of settings, and how settings are listed and changed."""

from typing import Any

import pytest
from pydantic import ValidationError

from mpsdoctor.profile.settings import MODEL_SETTINGS, Profile, fingerprint


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


def test_profiles_have_one_fingerprint_together() -> None:
    """In any order and however often; the digits stay the same between releases."""
    one, other = Profile(), Profile(width=512)
    assert fingerprint(one, other) == fingerprint(other, one, other)
    assert len({fingerprint(one), fingerprint(other), fingerprint(one, other)}) == 3


def test_the_defaults_are_those_of_a_profile_that_nobody_tuned() -> None:
    """None leaves a setting to the model."""
    assert {name: value for name, value in Profile().model_dump().items() if value is not None} == {
        "schema_version": 1,
        "model": "shapes",
        "models": [],
        "device": "mps",
        "dtype": "float16",
        "use_safetensors": True,
        "attention": "native",
        "vae_tiling": False,
        "vae_slicing": False,
        "prime": False,
        "one_prompt_at_a_time": True,
        "hot_folder": "~/mpsdoctor",
        "ignore": [],
        "environment": {},
    }
    assert {"dtype", "variant", "vae_dtype", "vae_tiling", "vae_slicing"} | {
        "width", "height", "largest_side", "num_inference_steps", "guidance_scale", "scheduler",
        "timestep_spacing",
    } == MODEL_SETTINGS  # fmt: skip


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("model", ["x"], [""]),
        ("attention_budget", [1], [0, -1]),
        ("width", [8, 4096], [0, 4, 12, -8]),
        ("height", [8, 4096], [0, 4, 12, -8]),
        ("largest_side", [1, 513], [0]),
        ("num_inference_steps", [1], [0]),
        ("guidance_scale", [0, 7.5], [-0.1]),
        ("scheduler", ["X"], [""]),
        ("schema_version", [1], [2]),
        ("surprise", [], [1]),
    ],
)
def test_a_value_has_its_limits(name: str, good: list[Any], bad: list[Any]) -> None:
    """At a limit and beyond it."""
    for value in good:
        assert getattr(Profile(**{name: value}), name) == value
    for value in bad:
        with pytest.raises(ValidationError):
            Profile(**{name: value})


def test_a_profile_does_not_change() -> None:
    """Its fingerprint is that of the pictures that it makes."""
    with pytest.raises(ValidationError):
        setattr(Profile(), "width", 512)  # noqa: B010


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
