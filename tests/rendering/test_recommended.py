"""What a model is rendered with once its profile is tuned."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from diffusers import DiffusionPipeline

from mpsdoctor.facts.records import Facts, Python, System
from mpsdoctor.planning import catalogue
from mpsdoctor.planning.configs import read_folder
from mpsdoctor.profile.choice import settings_of
from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.infotext import format_infotext, parse_infotext
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.generate import Picture, generate
from mpsdoctor.rendering.pipeline import apply
from mpsdoctor.tuning.needs import needs_of
from mpsdoctor.tuning.rules import tune
from tests.support.pipelines import (
    flux,
    flux2_klein,
    stable_diffusion,
    stable_diffusion_3,
    stable_diffusion_xl,
    z_image,
)

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"),
]
"""Of Diffusers' schedulers with NumPy 2."""

PLAIN = Profile(device="cpu", dtype="float32", width=64, height=64)


def tuned(model: str) -> Profile:
    """As for a machine without a GPU, for pictures of 64×64 pixels."""
    facts = Facts(system=System(kernel="Linux"), python=Python())
    choices = tune(facts, needs_of(model, catalogue.find(model)))
    return Profile.model_validate(settings_of(choices) | {"width": 64, "height": 64})


def passes(profile: Profile, pipe: Any, **asked: Any) -> tuple[list[int], Picture]:
    """How many pictures the denoiser was given in each call, and what came of it."""
    seen: list[int] = []
    denoiser = getattr(pipe, "unet", None) or pipe.transformer

    def note(_: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        seen.append(len(args[0] if args else kwargs["hidden_states"]))

    hook = denoiser.register_forward_pre_hook(note, with_kwargs=True)
    pipe.set_progress_bar_config(disable=True)
    request = Request(prompt="a red circle", seed=1, **asked)
    [picture] = generate(profile, apply(profile, pipe), [request])
    hook.remove()
    return seen, picture


@pytest.mark.parametrize(
    ("model", "make", "by_default", "recommended"),
    [
        ("stabilityai/sdxl-turbo", stable_diffusion_xl, [2] * 50, [1] * 4),
        ("stabilityai/sd-turbo", stable_diffusion, [2] * 50, [1] * 4),
        (
            "SimianLuo/LCM_Dreamshaper_v7",
            partial(stable_diffusion, time_cond_proj_dim=256),
            [1] * 50,
            [1] * 4,
        ),
        (
            "black-forest-labs/FLUX.1-schnell",
            partial(flux, guidance_embeds=False),
            [1] * 28,
            [1] * 4,
        ),
        ("black-forest-labs/FLUX.2-klein-4B", flux2_klein, [1] * 50, [1] * 4),
        (
            "black-forest-labs/FLUX.2-klein-base-4B",
            partial(flux2_klein, is_distilled=False),
            [1] * 100,
            [1] * 100,
        ),
        ("Tongyi-MAI/Z-Image-Turbo", z_image, [2] * 50, [1] * 8),
        ("Tongyi-MAI/Z-Image", z_image, [2] * 50, [2] * 28),
        ("stabilityai/stable-diffusion-3.5-large-turbo", stable_diffusion_3, [2] * 28, [1] * 4),
        ("stabilityai/stable-diffusion-3.5-medium", stable_diffusion_3, [2] * 28, [2] * 40),
        ("stabilityai/stable-diffusion-2-1", stable_diffusion, [2] * 50, [2] * 25),
    ],
)
def test_a_model_is_called_as_its_authors_do(
    tmp_path: Path,
    model: str,
    make: Callable[[Path], DiffusionPipeline],
    by_default: list[int],
    recommended: list[int],
) -> None:
    """Each number is one pass of the denoiser, and the pictures in it: two with guidance."""
    pipe = make(tmp_path / "tokenizer")

    assert by_default == passes(PLAIN, pipe)[0]
    assert recommended == passes(tuned(model), pipe)[0]
    assert by_default == passes(PLAIN, pipe)[0]


def test_a_pipeline_that_was_saved_from_the_hub_is_known_again(tmp_path: Path) -> None:
    """By what Diffusers writes into the config files, in a folder of any name."""
    cache = tmp_path / "models--Tongyi-MAI--Z-Image-Turbo" / "snapshots" / "f332072a"
    z_image(tmp_path / "tokenizer").save_pretrained(cache)
    DiffusionPipeline.from_pretrained(str(cache)).save_pretrained(tmp_path / "mine")

    needs = needs_of("/models/mine", read_folder("/models/mine", tmp_path / "mine"))

    assert needs.recommended is not None
    assert "Z-Image-Turbo" == needs.recommended.name


def test_the_sampler_is_the_one_that_is_recommended(tmp_path: Path) -> None:
    """A spacing belongs to the model's own scheduler; another class takes its settings over."""
    pipe: Any = stable_diffusion(tmp_path / "tokenizer")
    own = type(pipe.scheduler).from_config(pipe.scheduler.config, timestep_spacing="leading")
    pipe.scheduler = own

    passes(tuned("stabilityai/sd-turbo"), pipe)
    assert type(own) is type(pipe.scheduler)
    assert pipe.scheduler.config.timestep_spacing == "trailing"

    _, picture = passes(tuned("stabilityai/stable-diffusion-2-1"), pipe)
    assert type(pipe.scheduler).__name__ == "DPMSolverMultistepScheduler"
    assert pipe.scheduler.config.timestep_spacing == "leading"
    assert "DPM++ 2M" == picture.parameters.sampler


def test_what_a_prompt_file_asks_for_comes_first(tmp_path: Path) -> None:
    """Its steps, its scale and its sampler, which is built from the model's scheduler as tuned."""
    pipe: Any = stable_diffusion_xl(tmp_path / "tokenizer")
    turbo = tuned("stabilityai/sdxl-turbo")

    seen, picture = passes(turbo, pipe, steps=2, cfg_scale=3.0, sampler="Euler a")

    assert [2, 2] == seen
    assert ("Euler a", 3.0) == (picture.parameters.sampler, picture.parameters.cfg_scale)
    assert pipe.scheduler.config.timestep_spacing == "trailing"


def test_no_guidance_is_written_and_read_as_zero(tmp_path: Path) -> None:
    """From the profile into the picture, and from there as a request of its own."""
    pipe = stable_diffusion_xl(tmp_path / "tokenizer")

    _, picture = passes(tuned("stabilityai/sdxl-turbo"), pipe)
    written = format_infotext(picture.parameters)
    again, _ = passes(PLAIN, pipe, cfg_scale=0.0, steps=1)

    assert "CFG scale: 0," in written
    assert 0.0 == parse_infotext(written).cfg_scale
    assert [1] == again


def test_a_negative_prompt_has_no_effect_without_guidance(tmp_path: Path) -> None:
    """The user is told, as nothing in the picture would say so."""
    pipe = stable_diffusion_xl(tmp_path / "tokenizer")
    turbo = tuned("stabilityai/sdxl-turbo")

    _, picture = passes(turbo, pipe, negative_prompt="blue")
    _, guided = passes(turbo, pipe, negative_prompt="blue", cfg_scale=3.0)

    told = "The negative prompt has no effect: this model needs a CFG scale above 1 for it"
    assert told in picture.notes
    assert told not in guided.notes
