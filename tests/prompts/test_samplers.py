"""Names of samplers."""

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.samplers import SAMPLERS, SCHEDULE_TYPES, find_sampler, find_schedule_type


@pytest.mark.parametrize(
    ("name", "sampler", "schedule_type"),
    [
        ("DPM++ 2M Karras", "DPM++ 2M", "Karras"),
        ("DPM++ 2M SDE Heun Exponential", "DPM++ 2M SDE Heun", "Exponential"),
        ("dpmpp_3m_sde_gpu", "DPM++ 3M SDE", None),
        ("k_dpm_2_a", "DPM2 a", None),
        ("dpm_2_ancestral", "DPM2 a", None),
        ("euler_ancestral_sgm_uniform", "Euler a", "SGM Uniform"),
        ("Euler Automatic", "Euler", "Automatic"),
        ("uni_pc_bh2", "UniPC", None),
        ("ddim", "DDIM", None),
        ("PNDM", "PLMS", None),
        ("kdpm_2", "DPM2", None),
        ("kdpm_2_a_k", "DPM2 a", "Karras"),
        ("dpmpp_2m_sde_k", "DPM++ 2M SDE", "Karras"),
        ("k_lms_k", "LMS", "Karras"),
        ("UniPC Trailing", "UniPC", "SGM Uniform"),
        ("DPM++ SDE Trailing", "DPM++ SDE", "SGM Uniform"),
        ("Euler A Trailing", "Euler a", "SGM Uniform"),
    ],
)
def test_names_of_other_tools_are_understood(
    name: str, sampler: str, schedule_type: str | None
) -> None:
    """A1111's old names, with the schedule type in them, and those of the tools beside it."""
    assert find_sampler(name) == (sampler, schedule_type)


def test_every_name_means_itself() -> None:
    """No sampler's name is taken for another, nor any schedule type's."""
    for sampler in SAMPLERS:
        assert find_sampler(sampler) == (sampler, None)
        for schedule_type in SCHEDULE_TYPES:
            assert find_sampler(f"{sampler} {schedule_type}") == (sampler, schedule_type)
            assert find_schedule_type(schedule_type.lower()) == schedule_type


@pytest.mark.parametrize("name", ["", "Eulr", "Restart", "x" * 200])
def test_an_unknown_name_is_an_error(name: str) -> None:
    """The names that there are are listed."""
    for find in (find_sampler, find_schedule_type):
        with pytest.raises(MpsDoctorError) as refused:
            find(name)
        assert "There are: " in refused.value.detail
        assert refused.value.hint
