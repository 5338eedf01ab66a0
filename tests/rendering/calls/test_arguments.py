"""What users pass to `generate`, as one task a picture."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.request import SEEDS
from mpsdoctor.rendering.calls.arguments import tasks_of
from mpsdoctor.rendering.calls.task import Task

PHOTO, SKETCH = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")


class Drawing:
    """A pipeline that draws over an image; only its signature is looked at."""

    def __call__(
        self,
        prompt: Any = None,
        prompt_2: Any = None,
        negative_prompt: Any = None,
        image: Any = None,
        strength: float = 0.8,
        num_inference_steps: int = 50,
        guidance_scale: float = 7.5,
        width: Any = None,
        height: Any = None,
        num_images_per_prompt: int = 1,
        prompt_embeds: Any = None,
        latents: Any = None,
        controlnet_conditioning_scale: Any = 1.0,
        output_type: str = "pil",
        return_dict: bool = True,
        **kwargs: Any,
    ) -> None:
        """Diffusers' pipelines take `**kwargs`, too, and ignore them."""


class Editing:
    """A pipeline whose images are several references for one picture."""

    def __call__(self, prompt: Any = None, image: Any = None, width: Any = None) -> None:
        """It has no strength."""


def tasks(
    prompts: Any = "a cat",
    *,
    seed: Any = None,
    generator: Any = None,
    pipe: Any = None,
    **given: Any,
) -> list[Task]:
    return tasks_of(pipe or Drawing(), prompts, seed, generator, given)


@given(
    prompts=st.lists(st.text(max_size=3), max_size=3),
    count=st.integers(1, 3),
    seed=st.none() | st.integers(0, 2**64 - 10),
)
def test_each_picture_has_its_prompt_and_its_own_seed(
    prompts: list[str], count: int, seed: int | None
) -> None:
    """The pictures of a prompt come one after the other; seeds count up from the first."""
    made = tasks(prompts, seed=seed, num_images_per_prompt=count)

    assert [text for text in prompts for _ in range(count)] == [t.request.prompt for t in made]
    seeds = [task.request.seed or 0 for task in made]
    first = seeds[0] if seeds else 0
    assert [first + number for number in range(len(made))] == seeds
    assert first == seed if seeds and seed is not None else first < SEEDS


@given(seeds=st.lists(st.integers(0, 2**32), min_size=2, max_size=3), count=st.integers(1, 3))
def test_a_list_of_seeds_is_for_prompts_or_for_pictures(seeds: list[int], count: int) -> None:
    """From a prompt's own seed on its pictures count up; with one a picture nothing is counted."""
    prompts = ["a"] * len(seeds)
    of_prompts = tasks(prompts, seed=seeds, num_images_per_prompt=count)
    own = [seed + number for seed in seeds for number in range(count)]
    of_pictures = tasks(prompts, seed=np.array(own), num_images_per_prompt=count)

    assert own == [task.request.seed for task in of_prompts]
    assert own == [task.request.seed for task in of_pictures]


def test_texts_numbers_and_images_can_be_one_for_each_prompt() -> None:
    """A single one is for all prompts; both reach the pipeline as they are."""
    first, second = tasks(
        ["a", "b"],
        negative_prompt=["x", ""],
        prompt_2=("p", "q"),
        num_inference_steps=[3, np.int64(4)],
        guidance_scale=[0.0, 2.5],
        width=64,
        image=[PHOTO, SKETCH],
        strength=0.5,
    )

    assert (3, 64, None, "x") == (
        first.request.steps,
        first.request.width,
        first.request.height,
        first.request.negative_prompt,
    )
    assert 4 == second.request.steps
    common = {"strength": 0.5}
    assert first.arguments == common | {
        "negative_prompt": "x",
        "prompt_2": "p",
        "guidance_scale": 0.0,
        "image": PHOTO,
    }
    assert second.arguments == common | {
        "negative_prompt": "",
        "prompt_2": "q",
        "guidance_scale": 2.5,
        "image": SKETCH,
    }


def test_embeddings_and_latents_have_a_row_for_each_prompt() -> None:
    """They stay rows of one; a single row is for all, and they say how many prompts there are."""
    embeds, latents = torch.rand(2, 7, 4), torch.rand(1, 4, 8, 8)

    made = tasks(None, prompt_embeds=embeds, latents=latents, num_images_per_prompt=2)

    assert 4 == len(made)
    for number, task in enumerate(made):
        assert torch.equal(embeds[number // 2 : number // 2 + 1], task.arguments["prompt_embeds"])
        assert torch.equal(latents, task.arguments["latents"])


def test_a_stack_of_pixels_has_one_image_for_each_prompt() -> None:
    """As an array or a tensor; one without a first dimension for them is for all."""
    stack, single = np.zeros((2, 8, 8, 3)), np.ones((8, 8, 3))

    assert [(1, 8, 8, 3)] * 2 == [
        t.arguments["image"].shape for t in tasks(["a", "b"], image=stack)
    ]
    assert all(t.arguments["image"] is single for t in tasks(["a", "b"], image=single))


def test_a_list_that_is_one_argument_stays_one() -> None:
    """Scales of several ControlNets, and the references of a pipeline that edits."""
    scales, references = [0.5, 1.0], [PHOTO, SKETCH]

    for task in tasks(["a", "b"], controlnet_conditioning_scale=scales):
        assert scales == task.arguments["controlnet_conditioning_scale"]
    for task in tasks(["a", "b"], pipe=Editing(), image=references):
        assert references == task.arguments["image"]


def test_a_generator_draws_in_place_of_a_seed() -> None:
    """One for all pictures, or one for each prompt; a seed means a new one on the CPU."""
    one, two = torch.Generator(), torch.Generator()

    assert [one, one] == [task.noise for task in tasks(["a", "b"], generator=one)]
    assert [one, one, two, two] == [
        task.noise for task in tasks(["a", "b"], generator=[one, two], num_images_per_prompt=2)
    ]
    [seeded] = tasks(seed=5)
    assert (5, "cpu") == (seeded.noise.initial_seed(), seeded.noise.device.type)


def test_diffusers_own_word_for_the_prompts_is_understood() -> None:
    """What is None is left to the pipeline, and its default output is what generate gives."""
    [task] = tasks(None, prompt="a cat", output_type="pil", return_dict=True, negative_prompt=None)

    assert ("a cat", {}) == (task.request.prompt, task.arguments)


@pytest.mark.parametrize(
    ("given", "title", "help_"),
    [
        ({"num_inference_step": 3}, "Drawing takes no argument num_inference_step", "_steps?"),
        ({"mask_image": PHOTO}, "Drawing takes no argument mask_image", "It takes prompt, "),
        ({"kwargs": {}}, "Drawing takes no argument kwargs", "Leave it out"),
        ({"prompts": None}, "There is no prompt", "prompt_embeds"),
        ({"prompt": "a"}, "prompts and prompt are both given", "Give one"),
        ({"prompts": ["a", 3]}, "A prompt cannot be 3", "Give the pipeline first"),
        ({"negative_prompt": ["a", "b"]}, "negative_prompt has 2 values for 1 prompt", "Give one"),
        ({"image": [PHOTO] * 3}, "image has 3 values for 1 prompt", "one value."),
        ({"latents": torch.rand(3, 4, 8, 8)}, "latents has 3 values for 1 prompt", "one value"),
        ({"prompts": ["a", "b"], "seed": [1]}, "seed has 1 values for 2 prompts", "a list of 2"),
        ({"seed": -1}, "seed cannot be -1", "Leave it out for a random one"),
        ({"seed": 1.5}, "seed cannot be 1.5", "whole number"),
        ({"seed": torch.Generator()}, "seed cannot be <torch", "generator="),
        ({"generator": 5}, "generator cannot be 5", "seed=1"),
        ({"generator": [5]}, "generator cannot be 5", "seed=1"),
        (
            {"seed": 1, "generator": torch.Generator()},
            "seed and generator are both given",
            "Leave one",
        ),
        ({"num_inference_steps": "20"}, "num_inference_steps cannot be '20'", "whole number"),
        ({"width": 0}, "width cannot be 0", "profile or the model"),
        ({"num_images_per_prompt": 0}, "num_images_per_prompt cannot be 0", "whole number"),
        ({"output_type": "latent"}, "output_type cannot be 'latent'", "pipeline itself"),
        ({"return_dict": False}, "return_dict cannot be False", "list of PIL images"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, Any], title: str, help_: str) -> None:
    """The error names the argument, and says what to write."""
    with pytest.raises(MpsDoctorError) as refused:
        tasks(**given)

    assert refused.value.title.startswith(title)
    assert help_ in f"{refused.value.detail} {refused.value.hint}"
