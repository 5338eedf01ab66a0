"""What a pipeline is called with."""

from typing import Any

import pytest
import torch

from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.calls.call import call, prime, settings_of
from mpsdoctor.rendering.calls.task import Task


class Pipe:
    """Returns what it is called with; a generator as the seed that it was made with."""

    device = torch.device("cpu")
    num_timesteps = 9

    def __call__(
        self,
        prompt: Any = None,
        prompt_2: Any = None,
        negative_prompt: Any = None,
        prompt_embeds: Any = None,
        guidance_scale: float = 7.5,
        num_inference_steps: int = 50,
        width: Any = None,
        height: Any = None,
        strength: float = 0.8,
        image: Any = None,
        sigmas: Any = None,
        padding_mask_crop: Any = None,
        generator: Any = None,
        output_type: str = "pil",
        callback_on_step_end: Any = None,
        callback_on_step_end_tensor_inputs: Any = None,
    ) -> dict[str, Any]:
        """Only what differs from the defaults."""
        given = {name: value for name, value in locals().items() if name != "self"}
        given["generator"] = [one.initial_seed() for one in generator]
        return {name: value for name, value in given.items() if value != DEFAULTS.get(name)}


DEFAULTS = {"guidance_scale": 7.5, "num_inference_steps": 50, "strength": 0.8}


class TrueScale:
    """Guided by `true_cfg_scale`, as Qwen-Image."""

    def __call__(
        self,
        prompt: Any = None,
        negative_prompt: Any = None,
        true_cfg_scale: float = 4.0,
        generator: Any = None,
        output_type: str = "pil",
    ) -> dict[str, Any]:
        """All of it."""
        given = locals()
        return {name: given[name] for name in ("prompt", "negative_prompt")}


class TextOnly:
    """Takes a prompt and nothing else."""

    def __call__(
        self, prompt: Any = None, generator: Any = None, output_type: str = ""
    ) -> dict[str, Any]:
        """All of it."""
        return {"prompt": locals()["prompt"]}


def task(prompt: str, negative: str = "", seed: int | None = 1, **arguments: Any) -> Task:
    return Task(Request(prompt=prompt, negative_prompt=negative, seed=seed), arguments)


def called(pipe: Any, *batch: Task, **settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = call(pipe, batch, settings)
    return found


@pytest.mark.parametrize(
    ("negatives", "given"),
    [
        (["", "blue"], {"negative_prompt": ["", "blue"]}),
        (["blue", ""], {"negative_prompt": ["blue", ""]}),
        (["blue", "red"], {"negative_prompt": ["blue", "red"]}),
        (["", ""], {}),
    ],
)
def test_a_batch_can_mix_negative_prompts(negatives: list[str], given: dict[str, Any]) -> None:
    """One for each picture, in their order; none at all if nobody asks for one."""
    batch = [task("a", negatives[0], seed=3), task("b", negatives[1], seed=4)]

    expected = {"prompt": ["a", "b"], "generator": [3, 4], "output_type": "np"}
    assert called(Pipe(), *batch) == expected | given
    assert called(Pipe(), *batch, guidance_scale=1.0) == expected | {"guidance_scale": 1.0}
    spaces = [negative or " " for negative in negatives]
    assert called(TrueScale(), *batch) == {"prompt": ["a", "b"], "negative_prompt": spaces}
    assert called(TrueScale(), *batch, true_cfg_scale=1.0)["negative_prompt"] is None
    assert called(TextOnly(), *batch) == {"prompt": ["a", "b"]}


@pytest.mark.parametrize("name", ["negative_prompt", "negative_prompt_embeds", "true_cfg_scale"])
def test_who_gives_one_of_these_decides_on_the_negative_prompt(name: str) -> None:
    """The request's is left out then, even if it asks for something."""
    one = task("a", "blue", **{name: 3})

    assert "negative_prompt" not in called(Pipe(), one)


def test_texts_are_lists_with_one_for_each_picture() -> None:
    """The prompt too, unless embeddings stand in for it; other values are passed as they are."""
    batch = [task("a"), task("b")]

    assert called(Pipe(), *batch, prompt_2="c", width=64) == {
        "prompt": ["a", "b"],
        "prompt_2": ["c", "c"],
        "width": 64,
        "generator": [1, 1],
        "output_type": "np",
    }
    assert "prompt" not in called(Pipe(), task(""), prompt_embeds=3)
    assert "pil" == call(Pipe(), [task("a")], {"padding_mask_crop": 8}).get("output_type", "pil")


def test_a_seed_that_is_missing_is_0_and_a_generator_counts_more() -> None:
    """On the CPU, so that a seed gives the same picture on every device."""
    own = torch.Generator("cpu").manual_seed(7)

    assert [0] == called(Pipe(), task("a", seed=None))["generator"]
    assert [7] == called(Pipe(), Task(Request(prompt="a", seed=1), generator=own))["generator"]
    assert torch.device("cpu") == task("a").noise.device


def test_the_request_overrides_the_profile_and_arguments_override_both() -> None:
    """Each setting by itself; what neither gives, and what the pipeline lacks, is left out."""
    profile = Profile(num_inference_steps=20, guidance_scale=5.0, width=512, height=256)
    request = Request(prompt="a", steps=8, cfg_scale=2.0, width=64, height=32)
    own = {"num_inference_steps": 4, "guidance_scale": 1.0, "width": 16, "height": 8, "sigmas": 1}

    def settings(request: Request, pipe: Any = None, **arguments: Any) -> dict[str, Any]:
        return settings_of(profile, pipe or Pipe(), Task(request, arguments))

    assert settings(Request(prompt="a")) == {
        "num_inference_steps": 20, "guidance_scale": 5.0, "width": 512, "height": 256,
    }  # fmt: skip
    assert settings(request) == {
        "num_inference_steps": 8, "guidance_scale": 2.0, "width": 64, "height": 32,
    }  # fmt: skip
    assert settings(request, **own) == own
    assert {} == settings(request, TextOnly())
    assert {} == settings_of(Profile(), Pipe(), task("a"))
    zero = settings(Request(prompt="a", cfg_scale=0.0))
    assert 0.0 == zero["guidance_scale"]


def test_priming_is_one_step_from_pure_noise() -> None:
    """Neither the user's noise nor what sets another number of steps takes part."""
    seen: list[dict[str, Any]] = []

    class Seeing:
        def __call__(
            self,
            prompt: Any = None,
            generator: Any = None,
            output_type: str = "",
            strength: float = 0.8,
            **given: Any,
        ) -> dict[str, Any]:
            """Notes what it gets."""
            seeds = [one.initial_seed() for one in generator]
            seen.append({"prompt": prompt, "seeds": seeds, "strength": strength, **given})
            return {"output_type": output_type}

    own = torch.Generator("cpu").manual_seed(7)
    lengths = dict.fromkeys(
        ("timesteps", "sigmas", "denoising_start", "denoising_end", "callback_on_step_end"), 1
    )
    prime(
        Seeing(),
        Task(Request(prompt="a", seed=5), generator=own),
        {**lengths, "num_inference_steps": 30, "strength": 0.2, "width": 64},
    )

    assert seen == [
        {"prompt": ["a"], "seeds": [5], "strength": 1.0, "num_inference_steps": 1, "width": 64}
    ]


def test_steps_are_reported_after_the_users_own_callback() -> None:
    """Numbered from 1, and the tensors are those that it returns, or the pipeline's own."""
    seen: list[Any] = []

    def users(pipe: Any, step: int, timestep: float, tensors: dict[str, Any]) -> dict[str, Any]:
        seen.append((pipe, step, timestep, dict(tensors)))
        return {"latents": 2}

    def on_step(step: int, steps: int) -> None:
        seen.append((step, steps))

    pipe: Any = Pipe()
    batch = [task("a")]
    with_users = call(pipe, batch, {"callback_on_step_end": users}, on_step)
    alone = call(pipe, batch, {}, on_step)

    changed = with_users["callback_on_step_end"](pipe, 0, 0.5, {"latents": 1})
    assert seen == [(pipe, 0, 0.5, {"latents": 1}), (1, 9)]
    same = alone["callback_on_step_end"](pipe, 8, 0.5, {"latents": 1})
    assert ({"latents": 2}, {"latents": 1}, (9, 9)) == (changed, same, seen[-1])
    assert "callback_on_step_end_tensor_inputs" not in with_users
    setattr(users, "tensor_inputs", ["latents"])  # noqa: B010
    named = call(pipe, batch, {"callback_on_step_end": users}, on_step)
    assert ["latents"] == named["callback_on_step_end_tensor_inputs"]
    assert users is call(pipe, batch, {"callback_on_step_end": users})["callback_on_step_end"]
    assert {"prompt": ["a"]} == call(TextOnly(), batch, {}, on_step)
