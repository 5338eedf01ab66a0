"""Which model a prompt file may name."""

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.inbox.intake import profile_for
from mpsdoctor.profile.settings import Profile

SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
PROFILES = [Profile(model=model) for model in (SDXL, "/models/My Mix", "shapes")]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        (None, SDXL),
        (SDXL, SDXL),
        ("Stable-Diffusion-XL-base-1.0", SDXL),
        ("my mix", "/models/My Mix"),
        ("shapes", "shapes"),
    ],
)
def test_a_prompt_names_one_of_the_profiles_models(name: str | None, model: str) -> None:
    """With or without its owner or folder, in upper or lower case; without a name, the first."""
    assert profile_for(PROFILES, name).model == model


@pytest.mark.parametrize("name", ["/etc/passwd", "../shapes", "other/shapes", "dreamshaper_8", ""])
def test_no_other_model_is_touched(name: str) -> None:
    """Neither a path, nor another owner's model, nor one that the profile does not list."""
    with pytest.raises(MpsDoctorError) as refusal:
        profile_for(PROFILES, name)
    assert SDXL in refusal.value.detail
    assert "models" in refusal.value.hint


def test_a_short_name_of_several_models_is_refused() -> None:
    """Else the first would be rendered in the place of the one that was meant."""
    profiles = [Profile(model=model) for model in ("a/mix", "b/mix", "mix-2")]
    assert "b/mix" == profile_for(profiles, "b/mix").model
    with pytest.raises(MpsDoctorError, match="several models") as refusal:
        profile_for(profiles, "Mix")
    assert "a/mix, b/mix" in refusal.value.detail
