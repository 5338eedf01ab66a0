"""Samplers on real pipelines."""

import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers.utils import is_scipy_available

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.samplers import SAMPLERS, SCHEDULE_TYPES
from mpsdoctor.rendering.schedulers import sampler_of, set_default_scheduler, set_scheduler
from tests.support.pipelines import stable_diffusion_3

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"),
]
"""Of Diffusers' schedulers with NumPy 2."""


def needs_scipy(sampler: str, schedule_type: str | None = None) -> bool:
    kind = getattr(diffusers, SAMPLERS[sampler].scheduler)
    has_beta = "use_beta_sigmas" in inspect.signature(kind.__init__).parameters
    return sampler == "LMS" or (schedule_type == "Beta" and has_beta)


def draw(pipe: Any) -> np.ndarray[Any, Any]:
    """Two steps on noise of one seed; shape (64, 64, 3)."""
    generator = [torch.Generator("cpu").manual_seed(1)]
    output = pipe("a red circle", num_inference_steps=2, generator=generator, output_type="np")
    return np.asarray(output.images[0])


TYPES = (None, *SCHEDULE_TYPES)


@pytest.mark.parametrize(
    ("sampler", "types"),
    [
        *((sampler, TYPES[at % len(TYPES) :][:1]) for at, sampler in enumerate(SAMPLERS)),
        *(pytest.param(sampler, TYPES, marks=pytest.mark.slow) for sampler in SAMPLERS),
    ],
)
def test_every_sampler_renders_with_every_schedule_type(
    pipe: Any, sampler: str, types: tuple[str | None, ...]
) -> None:
    """The pipeline draws with it, and what it draws with has a name that means the same picture."""
    own = pipe.scheduler
    config = dict(own.config)
    for schedule_type in types:
        if needs_scipy(sampler, schedule_type) and not is_scipy_available():
            with pytest.raises(MpsDoctorError, match="scipy"):
                set_scheduler(pipe, sampler, schedule_type)
            assert pipe.scheduler is own
            continue
        note = set_scheduler(pipe, sampler, schedule_type)
        named, used = sampler_of(pipe)
        assert type(pipe.scheduler).__name__ == SAMPLERS[sampler].scheduler
        assert named == sampler
        if note is None and schedule_type:
            assert used == schedule_type
        assert pipe.scheduler.config["num_train_timesteps"] == config["num_train_timesteps"]
        assert pipe.scheduler.config["prediction_type"] == config["prediction_type"]
        drawn = draw(pipe)
        assert np.isfinite(drawn).all()
        set_scheduler(pipe, named, used)
        assert np.array_equal(draw(pipe), drawn), schedule_type
    set_scheduler(pipe, None, None)
    assert pipe.scheduler is own
    assert dict(own.config) == config


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if not needs_scipy(name)])
def test_a_models_own_scheduler_is_named_so_that_it_means_itself(pipe: Any, sampler: str) -> None:
    """What a pipeline comes with has A1111's name, and that name changes nothing about it."""
    known = SAMPLERS[sampler]
    kind = getattr(diffusers, known.scheduler)
    for options in ({}, {"timestep_spacing": "trailing"}, {"use_karras_sigmas": True}):
        accepted = {name: value for name, value in options.items() if name in kind().config}
        pipe.scheduler = kind.from_config(pipe.scheduler.config, **known.config, **accepted)
        own = pipe.scheduler
        named, schedule_type = sampler_of(pipe)

        assert set_scheduler(pipe, named, schedule_type) is None

        assert named == sampler
        assert configured(pipe.scheduler) == configured(own)
        set_scheduler(pipe, None, None)
        assert pipe.scheduler is own


def configured(scheduler: Any) -> dict[str, Any]:
    return {name: value for name, value in scheduler.config.items() if not name.startswith("_")}


def test_the_sampler_changes_the_picture_and_the_next_request_has_the_own_again(pipe: Any) -> None:
    """A request that names none is drawn as if none had been named before."""
    before = draw(pipe)
    set_scheduler(pipe, "Euler a", None)
    assert not np.array_equal(before, draw(pipe))
    set_scheduler(pipe, "DPM++ 2M", "Karras")
    set_scheduler(pipe, None, "Automatic")
    assert np.array_equal(before, draw(pipe))


def test_a_schedule_type_alone_keeps_the_sampler(pipe: Any) -> None:
    """It is set on the pipeline's own scheduler, where that has it."""
    kind = type(pipe.scheduler)
    assert set_scheduler(pipe, None, "SGM Uniform") is None
    assert type(pipe.scheduler) is kind
    assert pipe.scheduler.config.timestep_spacing == "trailing"
    note = set_scheduler(pipe, None, "Karras")
    assert note == "Karras has no effect: DDIM has no such schedule type"


def test_a_users_own_scheduler_is_the_pipelines_own(pipe: Any) -> None:
    """One that was put there between two requests is what the next one gets."""
    set_scheduler(pipe, "Euler", None)
    pipe.scheduler = chosen = diffusers.LCMScheduler()
    set_scheduler(pipe, None, None)
    assert pipe.scheduler is chosen


def test_a_flow_matching_model_keeps_its_own(tmp_path: Path) -> None:
    """The user is told, unless what was asked for is what it has."""
    pipe = stable_diffusion_3(tmp_path / "tokenizer")
    own = pipe.scheduler
    assert set_scheduler(pipe, "DPM++ 2M", "Karras") == (
        "DPM++ 2M Karras has no effect: this model keeps its own sampler"
    )
    assert set_scheduler(pipe, "Euler", None) is None
    assert set_scheduler(pipe, None, None) is None
    assert pipe.scheduler is own
    assert sampler_of(pipe) == ("Euler", None)
    pipe.scheduler = diffusers.DPMSolverMultistepScheduler(use_flow_sigmas=True)
    assert sampler_of(pipe) == ("", None)
    assert set_scheduler(pipe, "Euler", None) is not None


def test_the_profiles_scheduler_is_what_a_request_returns_to(pipe: Any) -> None:
    """It takes over the model's settings, and gives way to the next profile's, or the model's."""
    own = pipe.scheduler
    set_default_scheduler(pipe, "EulerDiscreteScheduler", "linspace")
    default = pipe.scheduler
    assert (type(default).__name__, default.config.timestep_spacing) == (
        "EulerDiscreteScheduler",
        "linspace",
    )
    assert default.config.prediction_type == own.config.prediction_type

    set_scheduler(pipe, "DPM++ 2M", None)
    set_scheduler(pipe, None, None)
    assert pipe.scheduler is default

    set_scheduler(pipe, "DPM++ 2M", None)
    set_default_scheduler(pipe, None, "leading")
    assert (type(pipe.scheduler), pipe.scheduler.config.timestep_spacing) == (type(own), "leading")

    set_default_scheduler(pipe, None, None)
    assert pipe.scheduler is own


def test_what_the_model_has_already_is_left_alone(pipe: Any) -> None:
    """So a recommendation changes nothing about the files of the model that it was made for."""
    own = pipe.scheduler
    set_default_scheduler(pipe, type(own).__name__, own.config.timestep_spacing)
    assert pipe.scheduler is own


@pytest.mark.parametrize(
    ("flow", "scheduler", "spacing", "told"),
    [
        (False, "EulerDiscretScheduler", None, "Did you mean EulerDiscreteScheduler?"),
        (False, "FlowMatchEulerDiscreteScheduler", None, "Did you mean EulerDiscreteScheduler?"),
        (False, "StableDiffusionPipeline", None, "Delete the line of scheduler"),
        (False, "DPMSolverSinglestepScheduler", "trailing", "Delete the line of timestep_spacing"),
        (True, "EulerDiscreteScheduler", None, "Did you mean FlowMatchEulerDiscreteScheduler?"),
        (True, None, "trailing", "Delete the line of timestep_spacing"),
    ],
)
def test_a_scheduler_that_does_not_suit_the_model_is_refused(
    tmp_path: Path, pipe: Any, flow: bool, scheduler: str, spacing: str | None, told: str
) -> None:
    """The error names the line of the profile, and the pipeline keeps what it had."""
    pipe = stable_diffusion_3(tmp_path / "flow") if flow else pipe
    own = pipe.scheduler
    with pytest.raises(MpsDoctorError, match="does not suit this model") as refused:
        set_default_scheduler(pipe, scheduler, spacing)
    assert told in refused.value.hint
    assert pipe.scheduler is own


def test_a_pipeline_without_a_scheduler_says_that_a_sampler_has_no_effect() -> None:
    """It is not an error: the picture is rendered as the model does it."""
    note = "Euler Karras has no effect: this model keeps its own sampler"

    assert set_scheduler(SimpleNamespace(), "Euler", "Karras") == note
