"""Prompts to pictures, as the profile says."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
import torch
from diffusers import DiffusionPipeline
from numpy.typing import NDArray
from PIL.Image import Image

from mpsdoctor import __version__
from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.profile.model import Profile
from mpsdoctor.prompts.infotext import Parameters
from mpsdoctor.rendering.pictures import to_image
from mpsdoctor.resources import embedded_model

OnStep = Callable[[int, int], None]
"""Called with the number of the step that is done (1-based) and of all steps."""

_SETTINGS = ("width", "height", "num_inference_steps", "guidance_scale")

_primed: WeakSet[Any] = WeakSet()


@dataclass(frozen=True)
class Picture:
    """An image and what it was made with."""

    image: Image
    parameters: Parameters


def generate(
    profile: Profile,
    pipe: DiffusionPipeline,
    prompts: Sequence[str],
    seeds: Sequence[int],
    on_step: OnStep | None = None,
) -> list[Picture]:
    """One picture a prompt, in order; the noise of prompt i is that of `seeds[i]`.

    Noise comes from CPU generators, so that a seed means the same picture on every device
    (diffusers docs: using-diffusers/reusing_seeds).

    Raises MpsDoctorError where a picture is NaN or one flat colour.
    """
    settings = _settings(profile, pipe)
    _require_size(profile, settings)
    if profile.prime and pipe not in _primed:
        _pixels(pipe, prompts[:1], seeds[:1], {**settings, "num_inference_steps": 1})
        _primed.add(pipe)
    at_once = 1 if profile.one_prompt_at_a_time else max(len(prompts), 1)
    pictures: list[Picture] = []
    for start in range(0, len(prompts), at_once):
        batch = slice(start, start + at_once)
        pixels = _pixels(pipe, prompts[batch], seeds[batch], settings, on_step)
        for prompt, seed, image in zip(
            prompts[batch], seeds[batch], map(to_image, pixels), strict=True
        ):
            pictures.append(Picture(image, _parameters(pipe, settings, prompt, seed, image)))
    return pictures


def _settings(profile: Profile, pipe: DiffusionPipeline) -> dict[str, Any]:
    """What the profile asks for, as far as this pipeline has such an argument."""
    asked = {name: getattr(profile, name) for name in _SETTINGS}
    accepted = _arguments(pipe)
    return {name: value for name, value in asked.items() if value is not None and name in accepted}


def _require_size(profile: Profile, settings: Mapping[str, Any]) -> None:
    """A picture too large makes the Mac swap, or ends the process, or is silently wrong."""
    side, width, height = profile.largest_side, settings.get("width"), settings.get("height")
    if side and width and height and width * height > side**2:
        raise MpsDoctorError(
            f"{width}×{height} is larger than what is forecast to fit on this machine",
            detail=f"The profile's largest_side is {side}: {side}×{side}, or as many pixels.",
            hint="Make it smaller. `mpsdoctor plan MODEL` says what fits, and with which settings.",
        )


def _pixels(
    pipe: DiffusionPipeline,
    prompts: Sequence[str],
    seeds: Sequence[int],
    settings: Mapping[str, Any],
    on_step: OnStep | None = None,
) -> NDArray[np.floating[Any]]:
    """Shape (prompts, height, width, 3), values 0 to 1; as PIL images NaN would pass for black."""
    arguments = dict(settings)
    if on_step is not None and "callback_on_step_end" in _arguments(pipe):
        arguments["callback_on_step_end"] = _step_callback(on_step)
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    output = pipe(prompt=list(prompts), generator=generators, output_type="np", **arguments)
    images: NDArray[np.floating[Any]] = output.images
    return images


def _step_callback(on_step: OnStep) -> Callable[..., dict[str, torch.Tensor]]:
    """Diffusers passes pipeline, step (0-based), timestep and tensors, and wants those back."""

    def callback(
        pipe: DiffusionPipeline, step: int, _timestep: float, tensors: dict[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        on_step(step + 1, pipe.num_timesteps)
        return tensors

    return callback


def _parameters(
    pipe: DiffusionPipeline,
    settings: Mapping[str, Any],
    prompt: str,
    seed: int,
    image: Image,
) -> Parameters:
    defaults = {name: argument.default for name, argument in _arguments(pipe).items()}
    used = defaults | dict(settings)
    return Parameters(
        prompt=prompt,
        steps=used["num_inference_steps"],
        sampler=type(pipe.scheduler).__name__.removesuffix("Scheduler"),
        cfg_scale=used.get("guidance_scale", 0),
        seed=seed,
        width=image.width,
        height=image.height,
        model=_model_name(pipe),
        version=f"mpsdoctor {__version__}",
    )


def _model_name(pipe: DiffusionPipeline) -> str:
    """A pipeline that was put together in code has no path; its class is what it is known by."""
    source: str | None = pipe.name_or_path
    if source is None:
        return type(pipe).__name__
    return EMBEDDED_MODEL if source == str(embedded_model()) else Path(source).name


def _arguments(pipe: DiffusionPipeline) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(type(pipe).__call__).parameters
