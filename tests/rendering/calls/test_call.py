"""One call of a pipeline, as users' pictures are made of."""

from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers.callbacks import PipelineCallback
from PIL import Image

from mpsdoctor import MpsDoctorError, TunedProfile
from mpsdoctor.rendering.broken import BrokenPictureError
from mpsdoctor.rendering.introspection.signature import arguments
from tests.support.pipelines import (
    controlnet,
    flux,
    stable_diffusion,
    stable_diffusion_3,
    stable_diffusion_xl,
)

pytestmark = pytest.mark.heavy

SIZE = WIDTH, HEIGHT = 48, 64
Pipes = dict[str, Any]


def random_image(*shape: int) -> Image.Image:
    """One pixel larger than what the models make: all of them round that down."""
    height, width, *channels = shape
    pixels = np.random.default_rng(0).integers(0, 256, (height + 1, width + 1, *channels))
    return Image.fromarray(pixels.astype(np.uint8))


PHOTO, MASK = random_image(HEIGHT, WIDTH, 3), random_image(HEIGHT, WIDTH)

DRAWN_OVER = [
    ("StableDiffusionImg2ImgPipeline", "sd", {"image": PHOTO, "strength": 0.5}),
    ("StableDiffusionXLImg2ImgPipeline", "sdxl", {"image": PHOTO, "strength": 0.5}),
    ("StableDiffusion3Img2ImgPipeline", "sd3", {"image": PHOTO, "strength": 0.5}),
    ("FluxImg2ImgPipeline", "flux", {"image": PHOTO, "strength": 0.5}),
    ("StableDiffusionInpaintPipeline", "sd", {"image": PHOTO, "mask_image": MASK}),
    ("StableDiffusionXLInpaintPipeline", "sdxl", {"image": PHOTO, "mask_image": MASK}),
    (
        "StableDiffusionControlNetPipeline",
        "sd",
        {"image": PHOTO, "controlnet_conditioning_scale": 0.5},
    ),
    (
        "StableDiffusionControlNetImg2ImgPipeline",
        "sd",
        {"image": PHOTO, "control_image": PHOTO, "strength": 0.5},
    ),
]
TEXT_ONLY = [
    ("StableDiffusionPipeline", "sd", {"negative_prompt": "a dog", "guidance_rescale": 0.5}),
    ("StableDiffusionXLPipeline", "sdxl", {"negative_prompt": "", "prompt_2": "a hat"}),
    ("StableDiffusion3Pipeline", "sd3", {"guidance_scale": 2.0}),
    ("FluxPipeline", "flux", {"width": WIDTH, "height": HEIGHT, "true_cfg_scale": 2.0}),
]


@pytest.fixture(scope="module")
def pipes(tmp_path_factory: pytest.TempPathFactory) -> Pipes:
    """Text-to-image pipelines of four families, and a ControlNet for the first."""
    folder = tmp_path_factory.mktemp("tokenizer")
    sd = stable_diffusion(folder)
    return {
        "sd": sd,
        "sdxl": stable_diffusion_xl(folder),
        "sd3": stable_diffusion_3(folder),
        "flux": flux(folder),
        "controlnet": controlnet(sd.unet),
    }


@pytest.fixture
def profile() -> TunedProfile:
    """Four steps on the CPU, of any model."""
    return TunedProfile(device="cpu", dtype="float32", num_inference_steps=4)


def build(pipes: Pipes, kind: str, family: str) -> Any:
    parts = {"controlnet": pipes["controlnet"]} if "ControlNet" in kind else {}
    pipe = getattr(diffusers, kind).from_pipe(pipes[family], **parts)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def on_the_cpu(seed: int) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(seed)


@pytest.mark.parametrize(("kind", "family", "given"), [*TEXT_ONLY, *DRAWN_OVER])
def test_the_picture_is_the_pipelines_own(
    pipes: Pipes, profile: TunedProfile, kind: str, family: str, given: dict[str, Any]
) -> None:
    """Called with the same arguments it makes the same, as large as the image that it is given."""
    pipe = build(pipes, kind, family)

    [picture] = profile.generate(pipe, "a cat", seed=3, **given)

    own_size = {"width": WIDTH, "height": HEIGHT} if "image" in given else {}
    settings = {"num_inference_steps": 4, **own_size, **given}
    taken = {name: settings[name] for name in settings if name in arguments(pipe)}
    expected = pipe("a cat", generator=on_the_cpu(3), **taken).images[0]
    assert expected.tobytes() == picture.tobytes()
    assert "image" not in given or picture.size == SIZE
    assert not picture.info


@pytest.mark.parametrize(("kind", "family", "given"), DRAWN_OVER)
def test_an_image_larger_than_what_fits_is_refused(
    pipes: Pipes, profile: TunedProfile, kind: str, family: str, given: dict[str, Any]
) -> None:
    """Its size is that of the picture, and is looked at before anything is computed."""
    pipe = build(pipes, kind, family)
    small = profile.with_settings(largest_side=48)
    calls: list[int] = []

    with pytest.raises(MpsDoctorError, match="48×64 is larger") as refused:
        small.generate(pipe, "a cat", on_step=lambda step, _steps: calls.append(step), **given)

    assert "largest_side is 48" in refused.value.detail
    assert not calls


def test_a_size_that_is_asked_for_outweighs_the_images(pipes: Pipes, profile: TunedProfile) -> None:
    """Inpainting fits the image to it; the other side stays the image's."""
    pipe = build(pipes, "StableDiffusionInpaintPipeline", "sd")

    [picture] = profile.generate(pipe, "a cat", image=PHOTO, mask_image=MASK, width=64)

    assert (64, HEIGHT) == picture.size


def test_a_crop_is_pasted_back_into_the_image(pipes: Pipes, profile: TunedProfile) -> None:
    """Diffusers does that with PIL alone; the picture has every pixel of the image around it."""
    pipe = build(pipes, "StableDiffusionXLInpaintPipeline", "sdxl")
    mask = Image.new("L", PHOTO.size)
    mask.paste(255, (10, 10, 30, 30))

    [picture] = profile.generate(pipe, "a cat", image=PHOTO, mask_image=mask, padding_mask_crop=4)

    changed = np.any(np.asarray(picture) != np.asarray(PHOTO), axis=-1)
    assert not changed[np.asarray(mask) == 0].any()
    assert changed.any()


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), 0.0])
def test_what_is_drawn_over_an_image_is_checked_like_any_picture(
    tmp_path_factory: pytest.TempPathFactory, profile: TunedProfile, weight: float
) -> None:
    """NaN, infinity and a flat colour are refused, also where Diffusers pastes a crop as PIL."""
    pipe = stable_diffusion(tmp_path_factory.mktemp("tokenizer"))
    inpainting = diffusers.StableDiffusionInpaintPipeline.from_pipe(pipe)
    inpainting.set_progress_bar_config(disable=True)
    flat = Image.new("RGB", PHOTO.size, "black")
    with torch.no_grad():
        pipe.vae.decoder.conv_out.weight.fill_(weight)
        pipe.vae.decoder.conv_out.bias.fill_(-1.0)

    for crop in (None, 4):
        with pytest.raises(BrokenPictureError):
            profile.generate(
                inpainting, "a cat", image=flat, mask_image=MASK, padding_mask_crop=crop
            )


@pytest.mark.parametrize(
    ("kind", "family", "given"),
    [("StableDiffusionXLImg2ImgPipeline", "sdxl", {"image": PHOTO, "denoising_start": 0.5})],
)
def test_priming_changes_no_picture(
    pipes: Pipes, profile: TunedProfile, kind: str, family: str, given: dict[str, Any]
) -> None:
    """It is one step, of which nobody is told, and draws nothing from the user's generator."""
    plain, primed = (build(pipes, kind, family) for _ in range(2))
    steps: list[tuple[int, int]] = []

    def on_step(step: int, of: int) -> None:
        steps.append((step, of))

    [expected] = profile.generate(plain, "a cat", generator=on_the_cpu(3), **given)
    [picture] = profile.with_settings(prime=True).generate(
        primed, "a cat", generator=on_the_cpu(3), on_step=on_step, **given
    )

    assert expected.tobytes() == picture.tobytes()
    assert [(1, 2), (2, 2)] == steps


def test_the_users_callback_is_called_beside_ours(pipes: Pipes, profile: TunedProfile) -> None:
    """A function and an object that names its tensors change the picture, and steps are told."""
    pipe = build(pipes, "StableDiffusionPipeline", "sd")
    steps: list[int] = []

    def flip(_pipe: Any, _step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        return {**tensors, "latents": -tensors["latents"]}

    class Flip(PipelineCallback):  # type: ignore[misc]
        tensor_inputs = ("latents", "prompt_embeds")

        def callback_fn(
            self, pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]
        ) -> dict[str, Any]:
            assert set(self.tensor_inputs) == set(tensors)
            return flip(pipe, step, timestep, tensors)

    def made(**given: Any) -> bytes:
        [picture] = profile.generate(
            pipe, "a cat", seed=1, on_step=lambda step, _steps: steps.append(step), **given
        )
        return picture.tobytes()

    flips = Flip(cutoff_step_ratio=None, cutoff_step_index=0)
    plain, function, object_ = (
        made(),
        made(callback_on_step_end=flip),
        made(callback_on_step_end=flips),
    )

    assert plain != function == object_
    assert [1, 2, 3, 4] * 3 == steps


def test_embeddings_stand_in_for_a_prompt(pipes: Pipes, profile: TunedProfile) -> None:
    """Those of two prompts make the two pictures of the prompts, without a word."""
    pipe = build(pipes, "StableDiffusionXLPipeline", "sdxl")
    prompts = ["a cat", "a dog"]
    encoded = [pipe.encode_prompt(prompt) for prompt in prompts]
    embeds, negative, pooled, negative_pooled = map(torch.cat, zip(*encoded, strict=True))

    expected = profile.generate(pipe, prompts, seed=1)
    pictures = profile.generate(
        pipe,
        seed=1,
        prompt_embeds=embeds,
        negative_prompt_embeds=negative,
        pooled_prompt_embeds=pooled,
        negative_pooled_prompt_embeds=negative_pooled,
    )

    assert [one.tobytes() for one in expected] == [one.tobytes() for one in pictures]


def test_latents_decide_noise_and_size(pipes: Pipes, profile: TunedProfile) -> None:
    """A profile's size is not asked for beside them."""
    pipe = build(pipes, "StableDiffusionPipeline", "sd")
    latents = torch.randn(1, 4, HEIGHT // 2, WIDTH // 2, generator=on_the_cpu(5))

    one, same = (
        profile.with_settings(width=128).generate(pipe, "a cat", seed, latents=latents)
        for seed in (1, 2)
    )

    assert one[0].tobytes() == same[0].tobytes()
    assert SIZE == one[0].size


def test_several_images_of_a_prompt_are_drawn_one_at_a_time(
    pipes: Pipes, profile: TunedProfile
) -> None:
    """Each from its own noise: the second one is the picture of the next seed."""
    pipe = build(pipes, "StableDiffusionPipeline", "sd")
    batches: list[int] = []
    hook = pipe.unet.register_forward_hook(
        lambda _unet, inputs, _output: batches.append(len(inputs[0]))
    )

    pictures = profile.generate(pipe, ["a cat", "a dog"], 7, num_images_per_prompt=2)
    hook.remove()

    [next_] = profile.generate(pipe, "a cat", 8)
    assert next_.tobytes() == pictures[1].tobytes()
    assert 4 == len({picture.tobytes() for picture in pictures})
    assert {2} == set(batches)  # with and without the prompt


def test_a_batch_is_of_what_has_no_image_of_its_own(pipes: Pipes, profile: TunedProfile) -> None:
    """Where the profile wants batches, texts and numbers that are the same are drawn together."""
    pipe = build(pipes, "StableDiffusionImg2ImgPipeline", "sd")
    together = profile.with_settings(one_prompt_at_a_time=False)
    text = build(pipes, "StableDiffusionPipeline", "sd")
    batches: list[int] = []
    hook = text.unet.register_forward_hook(
        lambda _unet, inputs, _output: batches.append(len(inputs[0]))
    )
    prompts = ["a cat", "a dog"]
    given: dict[str, Any] = {"negative_prompt": "a hat", "guidance_rescale": 0.5}

    alone = profile.generate(text, prompts, 1, **given)
    batch = together.generate(text, prompts, 1, **given)
    drawn_over = together.generate(pipe, prompts, 1, image=PHOTO)
    hook.remove()

    for one, other in zip(alone, batch, strict=True):  # sums of a batch are rounded differently
        assert np.ptp(np.asarray(one).astype(int) - np.asarray(other)) <= 4
    assert alone[0].tobytes() != alone[1].tobytes()
    assert 2 == len(drawn_over)
    assert [2] * 8 + [4] * 4 + [2] * 6 == batches
