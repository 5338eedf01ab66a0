"""Prompts to pictures."""

import inspect
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
import torch
from diffusers import DiffusionPipeline
from msgspec.structs import replace

from mpsdoctor import __version__
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.infotext import Parameters
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.broken import BrokenPictureError
from mpsdoctor.rendering.generate import generate
from mpsdoctor.rendering.notes import notes_on
from mpsdoctor.resources import embedded_model
from tests.support.pipelines import stable_diffusion_3

CIRCLE, STAR = Request(prompt="a red circle", seed=1), Request(prompt="a blue star", seed=2)


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
    first, second = generate(profile, pipe, [CIRCLE, STAR])
    [alone] = generate(profile, pipe, [STAR])
    [other] = generate(profile, pipe, [replace(STAR, seed=3)])

    assert second.image.tobytes() == alone.image.tobytes()
    assert first.image.tobytes() != second.image.tobytes() != other.image.tobytes()


def test_prompts_are_rendered_in_turn_unless_the_profile_wants_a_batch(
    pipe: Any, profile: Profile
) -> None:
    """One at a time asks the UNet for one picture a step, a batch for all that ask for the same."""
    seen = batches(pipe)

    generate(profile, pipe, [CIRCLE, STAR])
    assert seen == [1, 1, 1, 1]

    seen.clear()
    at_once = profile.model_copy(update={"one_prompt_at_a_time": False})
    pictures = generate(at_once, pipe, [CIRCLE, STAR, replace(STAR, steps=1)])
    assert seen == [2, 2, 1]
    assert [picture.parameters.prompt for picture in pictures] == [
        CIRCLE.prompt,
        STAR.prompt,
        STAR.prompt,
    ]


@pytest.mark.parametrize("negative", [("", "blue"), ("blue", ""), ("blue", "grey"), ("", "")])
def test_each_picture_of_a_batch_has_its_own_negative_prompt(
    pipe: Any, profile: Profile, negative: tuple[str, str]
) -> None:
    """Pictures with and without one are still rendered at once, each as it was asked for."""
    encode, asked = pipe.encode_prompt, []

    def encode_prompt(*args: Any, **kwargs: Any) -> Any:
        given = inspect.signature(encode).bind(*args, **kwargs).arguments
        asked.append((given["prompt"], given["negative_prompt"]))
        return encode(*args, **kwargs)

    pipe.encode_prompt = encode_prompt
    at_once = profile.model_copy(update={"one_prompt_at_a_time": False, "num_inference_steps": 1})
    requests = [
        replace(one, negative_prompt=text)
        for one, text in zip((CIRCLE, STAR), negative, strict=True)
    ]
    pictures = generate(at_once, pipe, requests)

    texts = list(negative) if any(negative) else None
    assert asked == [([CIRCLE.prompt, STAR.prompt], texts)]
    assert tuple(picture.parameters.negative_prompt for picture in pictures) == negative


def test_priming_is_one_step_before_a_pipelines_first_picture(pipe: Any, profile: Profile) -> None:
    """The extra step is taken once for a pipeline, not once for a call."""
    seen = batches(pipe)
    primed = profile.model_copy(update={"prime": True})

    generate(primed, pipe, [CIRCLE])
    assert len(seen) == 1 + 2

    generate(primed, pipe, [CIRCLE])
    assert len(seen) == 1 + 2 + 2


def test_each_step_is_reported(pipe: Any, profile: Profile) -> None:
    """Progress counts from 1 to the number of steps."""
    steps: list[tuple[int, int]] = []

    generate(profile, pipe, [CIRCLE], lambda step, of: steps.append((step, of)))

    assert steps == [(1, 2), (2, 2)]


def test_the_picture_says_what_it_was_made_with(pipe: Any, profile: Profile) -> None:
    """Settings that the profile leaves to the model are recorded as the model has them."""
    sized = profile.model_copy(update={"width": 48, "height": 32})

    [picture] = generate(sized, pipe, [replace(CIRCLE, seed=7)])

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


@pytest.mark.parametrize("kind", [str, Path])
def test_the_embedded_model_is_known_by_its_name(profile: Profile, kind: type) -> None:
    """However its folder was named to Diffusers."""
    pipe = DiffusionPipeline.from_pretrained(kind(embedded_model()))
    pipe.set_progress_bar_config(disable=True)

    [picture] = generate(profile, pipe, [replace(CIRCLE, steps=1, width=64, height=64)])

    assert picture.parameters.model == "shapes"


@pytest.mark.parametrize(
    ("weight", "bias", "title"),
    [
        (float("nan"), 0.0, "The model computed NaN instead of a picture"),
        (0.0, float("inf"), "The model computed NaN instead of a picture"),
        (0.0, 0.5, "The picture is one flat colour"),
    ],
)
def test_a_broken_picture_is_refused(
    pipe: Any, profile: Profile, weight: float, bias: float, title: str
) -> None:
    """NaN, infinity and a single colour never become an image, and the error says what to try."""
    with torch.no_grad():
        pipe.vae.decoder.conv_out.weight.fill_(weight)
        pipe.vae.decoder.conv_out.bias.fill_(bias)

    with pytest.raises(BrokenPictureError) as refused:
        generate(profile, pipe, [CIRCLE])
    assert title == refused.value.title
    assert refused.value.hint


def test_a_transformer_model_renders_too(tmp_path: Path, profile: Profile) -> None:
    """Nothing here is tied to UNets."""
    pipe = stable_diffusion_3(tmp_path / "tokenizer")
    pipe.set_progress_bar_config(disable=True)

    [picture] = generate(profile, pipe, [CIRCLE])

    assert (
        picture.parameters.sampler,
        picture.image.size,
    ) == ("Euler", (64, 64))


@pytest.mark.parametrize(
    ("limit", "request_", "size"),
    [
        (32, replace(CIRCLE, width=64, height=32), "64×32"),
        (64, replace(CIRCLE, width=72), "72×64"),
        (56, CIRCLE, "64×64"),
    ],
)
def test_a_picture_larger_than_what_fits_is_refused(
    pipe: Any, profile: Profile, limit: int, request_: Request, size: str
) -> None:
    """Before anything is rendered, by the size that it would have, the model's default included."""
    limited = profile.model_copy(update={"largest_side": limit})
    seen = batches(pipe)

    with pytest.raises(MpsDoctorError, match=f"{size} is larger") as refused:
        generate(limited, pipe, [request_])

    assert f"largest_side is {limit}" in refused.value.detail
    assert not seen


def test_a_request_outweighs_the_profile_for_one_picture(pipe: Any, profile: Profile) -> None:
    """Each of its settings makes another picture, says so in it, and is gone for the next one."""
    [plain] = generate(profile, pipe, [CIRCLE])
    asked = replace(
        CIRCLE, steps=3, cfg_scale=2.0, width=48, height=32, sampler="DDPM", negative_prompt="blue"
    )
    [picture] = generate(profile, pipe, [asked])
    used = picture.parameters
    assert (used.steps, used.cfg_scale, used.width, used.height) == (3, 2.0, 48, 32)
    assert (used.sampler, used.negative_prompt) == ("DDPM", "blue")

    for change in ({"steps": 3}, {"cfg_scale": 2.0}, {"sampler": "DDPM"}, {"seed": 9}):
        [other] = generate(profile, pipe, [replace(CIRCLE, **change)])
        assert other.image.tobytes() != plain.image.tobytes(), change
    [negated] = generate(profile, pipe, [replace(CIRCLE, negative_prompt="blue blue")])
    assert negated.image.tobytes() != plain.image.tobytes()

    [again] = generate(profile, pipe, [CIRCLE])
    assert again.image.tobytes() == plain.image.tobytes()


def test_a_prompt_longer_than_the_text_encoder_reads_is_rendered_and_said_so(
    pipe: Any, profile: Profile
) -> None:
    """The note names how many tokens there are and how many are read; a short one has no note."""
    reads = pipe.tokenizer.model_max_length

    [long, short] = generate(profile, pipe, [replace(CIRCLE, prompt="a star " * reads), CIRCLE])

    [note] = long.notes
    assert f"has {2 * reads + 2} tokens" in note
    assert f"the first {reads};" in note
    assert not short.notes


def test_what_this_model_has_not_is_said() -> None:
    """A negative prompt where the pipeline takes none, and settings that it does not know."""

    class Plain:
        components: ClassVar[dict[str, object]] = {}

        def __call__(self, prompt: str) -> None:
            """Takes nothing else."""

    asked = replace(CIRCLE, negative_prompt="blue", steps=4)

    assert [note.split(" has ")[0] for note in notes_on(cast(Any, Plain()), asked, {})] == [
        "The negative prompt",
        "Steps 4",
    ]


@pytest.mark.parametrize("sampler", ["LCM", "TCD"])
def test_a_sampler_for_few_steps_refuses_many(pipe: Any, profile: Profile, sampler: str) -> None:
    """As many as it takes are rendered; for one more the error says how many, before any is."""
    most = 50
    [picture] = generate(profile, pipe, [replace(CIRCLE, sampler=sampler, steps=most)])
    assert picture.parameters.steps == most
    seen = batches(pipe)

    with pytest.raises(MpsDoctorError, match=f"{sampler} takes at most {most} steps") as refused:
        generate(profile, pipe, [replace(CIRCLE, sampler=sampler, steps=most + 1)])

    assert f"`Steps: {most}`" in refused.value.hint
    assert not seen


def test_the_machine_is_not_blamed_for_what_the_safety_checker_blacks_out(
    pipe: Any, profile: Profile
) -> None:
    """The error says whose doing it is, and is none that asks for another try."""
    pipe.safety_checker = object()
    pipe.run_safety_checker = lambda image, *_: (image * 0, [True])

    with pytest.raises(MpsDoctorError, match="safety checker") as refused:
        generate(profile, pipe, [CIRCLE])

    assert not isinstance(refused.value, BrokenPictureError)
