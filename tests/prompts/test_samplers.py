"""Names of samplers."""

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.samplers import (
    SAMPLERS,
    SCHEDULE_TYPES,
    find_sampler,
    find_schedule_type,
    is_known_scheduler,
    name_scheduler,
)


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


@pytest.mark.parametrize(
    ("name", "hint", "hint_of_schedule"),
    [
        ("", "Name one of these, or leave it to the model.", "leave it to the sampler."),
        ("Eulr", "Did you mean Euler?", "leave it to the sampler."),
        ("Karas", "Name one of these, or leave it to the model.", "Did you mean Karras?"),
        ("x" * 200, "Name one of these, or leave it to the model.", "leave it to the sampler."),
    ],
)
def test_an_unknown_name_is_an_error_that_lists_the_names(
    name: str, hint: str, hint_of_schedule: str
) -> None:
    """The most similar name is suggested, if one is similar."""
    with pytest.raises(MpsDoctorError) as refused:
        find_sampler(name)
    assert str(refused.value) == (
        f"There is no sampler {name!r}\nThe samplers are: {', '.join(SAMPLERS)}.\n{hint}"
    )

    with pytest.raises(MpsDoctorError) as refused:
        find_schedule_type(name)
    assert str(refused.value).splitlines()[:2] == [
        f"There is no schedule type {name!r}",
        f"The schedule types are: {', '.join(SCHEDULE_TYPES)}, Automatic.",
    ]
    assert refused.value.hint.endswith(hint_of_schedule)


NAMED = [
    ("EulerDiscreteScheduler", {}, ("Euler", None)),
    ("EulerDiscreteScheduler", {"use_karras_sigmas": True}, ("Euler", "Karras")),
    ("EulerDiscreteScheduler", {"use_karras_sigmas": False}, ("Euler", None)),
    ("EulerDiscreteScheduler", {"timestep_spacing": "trailing"}, ("Euler", None)),
    ("KDPM2DiscreteScheduler", {"timestep_spacing": "trailing"}, ("DPM2", "SGM Uniform")),
    ("KDPM2DiscreteScheduler", {"timestep_spacing": "leading"}, ("DPM2", "DDIM")),
    ("KDPM2DiscreteScheduler", {"use_beta_sigmas": True}, ("DPM2", "Beta")),
    ("KDPM2DiscreteScheduler", {"use_karras_sigmas": True}, ("DPM2", "Karras")),
    ("DPMSolverSinglestepScheduler", {}, ("DPM++ SDE", "Uniform")),
    ("PNDMScheduler", {"skip_prk_steps": True}, ("PLMS", None)),
    ("PNDMScheduler", {"skip_prk_steps": False}, ("", None)),
    ("UnknownScheduler", {}, ("", None)),
    ("EulerDiscreteScheduler", {"use_flow_sigmas": True}, ("", None)),
    ("EulerDiscreteScheduler", {"prediction_type": "flow_prediction"}, ("", None)),
    ("FlowMatchEulerDiscreteScheduler", {}, ("Euler", None)),
    ("FlowMatchHeunDiscreteScheduler", {}, ("Heun", None)),
    ("FlowMatchLCMScheduler", {}, ("LCM", None)),
]


@pytest.mark.parametrize(("scheduler", "config", "names"), NAMED)
def test_a_scheduler_of_diffusers_has_a1111s_names(
    scheduler: str, config: dict[str, object], names: tuple[str, str | None]
) -> None:
    """The schedule type is named only if "Automatic" means another; flow models keep their own."""
    assert name_scheduler(scheduler, config) == names
    assert is_known_scheduler(scheduler, config) == (
        scheduler in {sampler.scheduler for sampler in SAMPLERS.values()}
        and "flow" not in str(config)
    )


def test_every_sampler_is_named_by_its_own_scheduler() -> None:
    """Schedulers of the same class are told apart by their options; others have no name."""
    for sampler in SAMPLERS.values():
        assert name_scheduler(sampler.scheduler, sampler.config)[0] == sampler.name
        for option, value in sampler.config.items():
            other = {**sampler.config, option: f"not {value}"}
            assert name_scheduler(sampler.scheduler, other) == ("", None)
