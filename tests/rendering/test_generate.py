"""Prompts to pictures."""

from pathlib import Path
from typing import Any

import pytest
import torch

from mpsdoctor import __version__
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.profile.model import Profile
from mpsdoctor.prompts.infotext import Parameters
from mpsdoctor.rendering.generate import generate
from tests.support.pipelines import stable_diffusion_3

PROMPTS = ["a red circle", "a blue star"]


def batches(pipe: Any) -> list[int]:
    """Grows by the number of prompts in each denoising step that the UNet is asked for."""
    seen: list[int] = []
    with_and_without_prompt = 2
    pipe.unet.register_forward_hook(
        lambda unet, inputs, output: seen.append(len(inputs[0]) // with_and_without_prompt)
    )
    return seen


def test_a_seed_means_the_same_picture_alone_and_after_others(pipe: Any, profile: Profile) -> None:
    """Noise depends on the seed alone."""
    first, second = generate(profile, pipe, PROMPTS, [1, 2])
    [alone] = generate(profile, pipe, PROMPTS[1:], [2])
    [other] = generate(profile, pipe, PROMPTS[1:], [3])

    assert second.image.tobytes() == alone.image.tobytes()
    assert first.image.tobytes() != second.image.tobytes() != other.image.tobytes()


def test_prompts_are_rendered_in_turn_unless_the_profile_wants_a_batch(
    pipe: Any, profile: Profile
) -> None:
    """One prompt at a time asks the UNet for one picture a step, a batch for all of them."""
    seen = batches(pipe)

    generate(profile, pipe, PROMPTS, [1, 2])
    assert seen == [1, 1, 1, 1]

    seen.clear()
    at_once = profile.model_copy(update={"one_prompt_at_a_time": False})
    pictures = generate(at_once, pipe, PROMPTS, [1, 2])
    assert seen == [2, 2]
    assert [picture.parameters.prompt for picture in pictures] == PROMPTS


def test_priming_is_one_step_before_a_pipelines_first_picture(pipe: Any, profile: Profile) -> None:
    """The extra step is taken once for a pipeline, not once for a call."""
    seen = batches(pipe)
    primed = profile.model_copy(update={"prime": True})

    generate(primed, pipe, PROMPTS[:1], [1])
    assert len(seen) == 1 + 2

    generate(primed, pipe, PROMPTS[:1], [1])
    assert len(seen) == 1 + 2 + 2


def test_each_step_is_reported(pipe: Any, profile: Profile) -> None:
    """Progress counts from 1 to the number of steps."""
    steps: list[tuple[int, int]] = []

    generate(profile, pipe, PROMPTS[:1], [1], lambda step, of: steps.append((step, of)))

    assert steps == [(1, 2), (2, 2)]


def test_the_picture_says_what_it_was_made_with(pipe: Any, profile: Profile) -> None:
    """Settings that the profile leaves to the model are recorded as the model has them."""
    sized = profile.model_copy(update={"width": 48, "height": 32})

    [picture] = generate(sized, pipe, ["a red circle"], [7])

    assert picture.image.size == (48, 32)
    assert (
        Parameters(
            prompt="a red circle",
            steps=2,
            sampler="DDIM",
            cfg_scale=7.5,
            seed=7,
            width=48,
            height=32,
            model="StableDiffusionPipeline",
            version=f"mpsdoctor {__version__}",
        )
        == picture.parameters
    )


@pytest.mark.parametrize(
    ("weight", "bias", "title"),
    [
        (float("nan"), 0.0, "The model computed NaN instead of a picture"),
        (0.0, 0.5, "The picture is one flat colour"),
    ],
)
def test_a_broken_picture_is_refused(
    pipe: Any, profile: Profile, weight: float, bias: float, title: str
) -> None:
    """NaN and a single colour never become an image, and the error says what to try."""
    with torch.no_grad():
        pipe.vae.decoder.conv_out.weight.fill_(weight)
        pipe.vae.decoder.conv_out.bias.fill_(bias)

    with pytest.raises(MpsDoctorError) as refused:
        generate(profile, pipe, PROMPTS[:1], [1])
    assert title == refused.value.title
    assert refused.value.hint


def test_a_transformer_model_renders_too(tmp_path: Path, profile: Profile) -> None:
    """Nothing here is tied to UNets."""
    pipe = stable_diffusion_3(tmp_path / "tokenizer")
    pipe.set_progress_bar_config(disable=True)

    [picture] = generate(profile, pipe, ["a red circle"], [1])

    assert (
        picture.parameters.sampler,
        picture.image.size,
    ) == ("FlowMatchEulerDiscrete", (64, 64))


def test_a_picture_larger_than_what_fits_is_refused(pipe: Any, profile: Profile) -> None:
    """Before anything is rendered, with what the profile says."""
    limited = profile.model_copy(update={"largest_side": 32, "width": 64, "height": 32})

    with pytest.raises(MpsDoctorError, match="64×32 is larger") as refused:
        generate(limited, pipe, PROMPTS[:1], [1])

    assert "largest_side is 32" in refused.value.detail
