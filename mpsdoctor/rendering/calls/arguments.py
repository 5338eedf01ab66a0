"""From the arguments of `TunedProfile.generate` to one task a picture."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from diffusers import DiffusionPipeline

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.calls.call import IS_TEXT
from mpsdoctor.rendering.calls.noise import (
    Generators,
    Seeds,
    generators_of,
    require_one,
    seeds_of,
)
from mpsdoctor.rendering.calls.pictures import Pictures, whole
from mpsdoctor.rendering.calls.task import Task
from mpsdoctor.rendering.introspection.signature import arguments, require_arguments

_NUMBERS: Final = frozenset({"num_inference_steps", "guidance_scale", "width", "height"})
_DRAWN_OVER: Final = frozenset({"image", "mask_image"})
_STACKS: Final = ("embeds", "embeds_mask", "attention_mask", "latents")
"""Name endings of tensors that have one row per prompt."""

_OURS: Final = {
    "output_type": (
        "pil",
        "generate checks each picture for NaN and for a single colour, and returns PIL images.",
        "numpy.asarray(image) makes an array of one. For latents call the pipeline itself.",
    ),
    "return_dict": (True, "generate returns a list of PIL images.", "Leave it out."),
}
"""Pipeline arguments with a fixed value here: the value, why, and what to do instead."""


def tasks_of(
    pipe: DiffusionPipeline,
    prompts: str | Sequence[str] | None,
    seed: Seeds,
    generator: Generators,
    given: Mapping[str, Any],
) -> list[Task]:
    """One task per picture: `num_images_per_prompt` for the first prompt, then for the next.

    `given` are arguments of the pipeline; None stands for its default. Texts, numbers and images
    to draw over can be lists with one value per prompt. Embeddings and latents are tensors with one
    row per prompt. All other arguments go to each picture unchanged: a list can be a single value,
    such as the scales of several ControlNets.

    Raises MpsDoctorError if the pipeline does not take an argument, or not in this form.
    """
    named = {name: value for name, value in given.items() if value is not None}
    texts = _texts(prompts, named)
    _take_out_ours(named)
    require_one(seed, generator)
    require_arguments(pipe, [*named, *([] if texts is None else ["prompt"])])
    prompted = [""] * _rows(pipe, named) if texts is None else texts
    count = whole("num_images_per_prompt", named.pop("num_images_per_prompt", 1), "Leave it out.")
    pictures = Pictures(len(prompted), count)
    seeds, generators = seeds_of(pictures, seed), generators_of(pictures, generator)
    values = {name: _spread(pipe, pictures, name, value) for name, value in named.items()}
    return [
        _task(
            prompted[number // count],
            seeds[number],
            generators[number],
            {name: value[number] for name, value in values.items()},
        )
        for number in range(pictures.total)
    ]


def _task(prompt: str, seed: int, generator: torch.Generator | None, given: dict[str, Any]) -> Task:
    """Moves arguments that a request has fields for into it, except the negative prompt.

    Some pipelines treat an empty negative prompt differently from none
    (`force_zeros_for_empty_prompt` of SDXL).
    """
    request = Request(
        prompt=prompt,
        negative_prompt=given.get("negative_prompt", ""),
        steps=_number(given, "num_inference_steps"),
        width=_number(given, "width"),
        height=_number(given, "height"),
        seed=seed,
    )
    return Task(request, given, generator)


def _number(given: dict[str, Any], name: str) -> int | None:
    if name not in given:
        return None
    return whole(name, given.pop(name), "Leave it out: then the profile or the model decides.")


def _texts(prompts: str | Sequence[str] | None, named: dict[str, Any]) -> list[str] | None:
    """The prompts, from `prompts` or the pipeline's own `prompt`; None if there are none."""
    also = named.pop("prompt", None)
    if prompts is not None and also is not None:
        raise MpsDoctorError(
            "prompts and prompt are both given", detail="They mean the same.", hint="Give one."
        )
    asked = also if prompts is None else prompts
    if asked is None:
        return None
    texts = [asked] if isinstance(asked, str) else list(asked)
    for text in texts:
        if not isinstance(text, str):
            raise MpsDoctorError(
                f"A prompt cannot be {text!r}",
                detail="It has to be a text.",
                hint="Give the pipeline first, then a text or a list of texts.",
            )
    return texts


def _take_out_ours(named: dict[str, Any]) -> None:
    for name, (ours, detail, hint) in _OURS.items():
        value = named.pop(name, ours)
        if value != ours:
            raise MpsDoctorError(f"{name} cannot be {value!r}", detail=detail, hint=hint)


def _rows(pipe: DiffusionPipeline, named: Mapping[str, Any]) -> int:
    """The number of prompts if none is given as text. Raises MpsDoctorError."""
    stacks = [value for name, value in named.items() if _is_stack(name, value)]
    if not stacks and "prompt" in arguments(pipe):
        raise MpsDoctorError(
            "There is no prompt",
            detail=f"{type(pipe).__name__} draws from a text.",
            hint='Give one after the pipeline, or prompt_embeds. "" is a prompt too.',
        )
    return max((len(stack) for stack in stacks), default=1)


def _spread(pipe: DiffusionPipeline, pictures: Pictures, name: str, value: object) -> list[Any]:
    """The value for each picture."""
    if _is_one_a_prompt(pipe, name, value):
        return pictures.each(name, value)
    return [value] * pictures.total


def _is_one_a_prompt(pipe: DiffusionPipeline, name: str, value: object) -> bool:
    """Whether `value` holds one value per prompt, not one for all of them."""
    drawn_over = name in _DRAWN_OVER and "strength" in arguments(pipe)
    if drawn_over and isinstance(value, torch.Tensor | np.ndarray):
        return value.ndim == 4
    if isinstance(value, list | tuple):
        return drawn_over or name in _NUMBERS or bool(IS_TEXT.fullmatch(name))
    return _is_stack(name, value)


def _is_stack(name: str, value: object) -> bool:
    return isinstance(value, torch.Tensor) and name.endswith(_STACKS)
