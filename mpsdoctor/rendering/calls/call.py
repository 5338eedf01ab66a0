"""One call of a pipeline."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

import torch
from diffusers import DiffusionPipeline

from mpsdoctor.profile.settings import Profile
from mpsdoctor.rendering.calls.task import Task
from mpsdoctor.rendering.guidance import negative_prompts, scales
from mpsdoctor.rendering.introspection.signature import arguments
from mpsdoctor.rendering.introspection.sizes import source_size
from mpsdoctor.rendering.steps import OnStep, StepReporter, wait_for

_Setting = TypeVar("_Setting", int, float)

IS_TEXT: Final = re.compile(r"(negative_)?prompt(_\d)?")
"""Arguments with one text per picture; models with several text encoders have one for each."""

_LENGTHS = frozenset(
    {"timesteps", "sigmas", "denoising_start", "denoising_end", "callback_on_step_end"}
)

_DECIDE_ON_NEGATIVE = frozenset({"negative_prompt", "negative_prompt_embeds", "true_cfg_scale"})
"""With one of these, the caller decides whether there is something to avoid."""


def settings_of(profile: Profile, pipe: DiffusionPipeline, task: Task) -> dict[str, Any]:
    """The call's arguments: from the task, then its request, then the profile.

    Settings that the pipeline has no argument for are left out. A picture that is drawn over an
    image gets the image's size.
    """
    request = task.request
    width, height = source_size(pipe, task.arguments) or (profile.width, profile.height)
    asked = {
        "width": _first(request.width, width),
        "height": _first(request.height, height),
        "num_inference_steps": _first(request.steps, profile.num_inference_steps),
        **scales(pipe, request, profile.guidance_scale),
    }
    accepted = arguments(pipe)
    known = {name: value for name, value in asked.items() if value is not None and name in accepted}
    return known | dict(task.arguments)


def call(
    pipe: DiffusionPipeline,
    batch: Sequence[Task],
    settings: Mapping[str, Any],
    on_step: OnStep | None = None,
) -> Any:  # noqa: ANN401
    """The pipeline's output for tasks that have these `settings` in common.

    Its `images` have shape (pictures, height, width, 3) and values from 0 to 1, because in PIL
    images NaN would look like black. They are PIL images only if a crop is pasted back into the
    image, which Diffusers does with PIL alone.
    """
    given = _with_texts(pipe, batch, settings)
    if on_step is not None and "callback_on_step_end" in arguments(pipe):
        given |= _callback(StepReporter(on_step, wait_for(pipe.device.type)), settings)
    return pipe(
        generator=[task.noise for task in batch],
        output_type="np" if settings.get("padding_mask_crop") is None else "pil",
        **given,
    )


def prime(pipe: DiffusionPipeline, task: Task, settings: Mapping[str, Any]) -> None:
    """Makes the pipeline's shortest call: one step from pure noise, which is not reported.

    The user's generator is not used: it would draw other noise afterwards.
    """
    shortest = {name: value for name, value in settings.items() if name not in _LENGTHS}
    if "strength" in arguments(pipe):
        shortest["strength"] = 1.0
    call(pipe, [replace(task, generator=None)], {**shortest, "num_inference_steps": 1})


def _first(asked: _Setting | None, otherwise: _Setting | None) -> _Setting | None:
    return otherwise if asked is None else asked


def _with_texts(
    pipe: DiffusionPipeline, batch: Sequence[Task], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Pipelines require all texts in the same form: here a list with one text per picture."""
    given = {
        name: [value] * len(batch) if IS_TEXT.fullmatch(name) else value
        for name, value in settings.items()
    }
    if "prompt" in arguments(pipe) and "prompt_embeds" not in given:
        given["prompt"] = [task.request.prompt for task in batch]
    if not batch[0].arguments.keys() & _DECIDE_ON_NEGATIVE:
        asked = [task.request.negative_prompt for task in batch]
        negative = negative_prompts(pipe, asked, settings)
        given |= {} if negative is None else {"negative_prompt": negative}
    return given


def _callback(reporter: StepReporter, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that report steps, after the user's own callback has run.

    Diffusers passes pipeline, step (0-based), timestep and tensors, and expects the tensors back.
    Callback objects name the tensors that they need (diffusers: callbacks.PipelineCallback).
    """
    users: Callable[..., dict[str, torch.Tensor]] | None = settings.get("callback_on_step_end")

    def callback(
        pipe: DiffusionPipeline, step: int, timestep: float, tensors: dict[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        changed = users(pipe, step, timestep, tensors) if users else tensors
        reporter.submitted(step + 1, pipe.num_timesteps)
        return changed

    wanted = getattr(users, "tensor_inputs", None)
    inputs = {} if wanted is None else {"callback_on_step_end_tensor_inputs": wanted}
    return {"callback_on_step_end": callback, **inputs}
