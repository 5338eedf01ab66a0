"""Requests to pictures, as the profile says."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakSet

from diffusers import DiffusionPipeline
from msgspec.structs import replace
from PIL.Image import Image

from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.infotext import Parameters
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.broken import blacked_out
from mpsdoctor.rendering.calls.call import call, prime, settings_of
from mpsdoctor.rendering.calls.task import Task
from mpsdoctor.rendering.guidance import shown
from mpsdoctor.rendering.introspection.model import model_of
from mpsdoctor.rendering.introspection.signature import arguments
from mpsdoctor.rendering.introspection.sizes import picture_size, require_size
from mpsdoctor.rendering.notes import notes_on
from mpsdoctor.rendering.pictures import to_image
from mpsdoctor.rendering.schedulers import require_steps, sampler_of, set_scheduler
from mpsdoctor.rendering.steps import OnStep
from mpsdoctor.rendering.vae import infinity_refused
from mpsdoctor.version import __version__

_primed: WeakSet[Any] = WeakSet()

_Plain = int | float | str
"""Arguments that a batch can share; a tensor or an image belongs to one picture."""


@dataclass(frozen=True)
class Picture:
    """An image, what it was made with, and `notes` on where it differs from the request."""

    image: Image
    parameters: Parameters
    notes: tuple[str, ...] = ()


def generate(
    profile: Profile,
    pipe: DiffusionPipeline,
    requests: Sequence[Request],
    on_step: OnStep | None = None,
) -> list[Picture]:
    """One picture per request, in order; each request has a seed, its count is ignored.

    The profile decides what a request leaves open, then the model.

    Raises:
        BrokenPictureError: A picture is NaN, infinite or one flat colour.
        MpsDoctorError: A picture is larger than the profile allows, or the model's safety checker
            blacked it out. Or its sampler is unavailable, or takes fewer steps.
    """
    return draw(profile, pipe, [Task(request) for request in requests], on_step)


def draw(
    profile: Profile, pipe: DiffusionPipeline, tasks: Sequence[Task], on_step: OnStep | None = None
) -> list[Picture]:
    """One picture per task, in order. Raises what `generate` and the pipeline raise.

    All sizes are checked before the first picture is computed.
    """
    batches = [(batch, settings_of(profile, pipe, batch[0])) for batch in _batches(profile, tasks)]
    for _, settings in batches:
        require_size(profile.largest_side, picture_size(pipe, settings))
    return [
        picture
        for batch, settings in batches
        for picture in _draw(profile, pipe, batch, settings, on_step)
    ]


def _batches(profile: Profile, tasks: Sequence[Task]) -> Iterator[Sequence[Task]]:
    """Each task alone, or together with its neighbours that differ only in words and seed."""
    if profile.one_prompt_at_a_time:
        return ([task] for task in tasks)
    return (list(batch) for _, batch in itertools.groupby(tasks, _in_common))


def _in_common(task: Task) -> tuple[Request, object]:
    """Equal for tasks that can be one batch."""
    request = replace(task.request, prompt="", negative_prompt="", seed=0, notes=())
    plain = all(isinstance(value, _Plain) for value in task.arguments.values())
    return request, task.arguments if plain else object()


def _draw(
    profile: Profile,
    pipe: DiffusionPipeline,
    batch: Sequence[Task],
    settings: Mapping[str, Any],
    on_step: OnStep | None,
) -> list[Picture]:
    """The tasks of `batch` differ only in words and seed."""
    request = batch[0].request
    note = set_scheduler(pipe, request.sampler, request.schedule_type)
    require_steps(pipe, settings.get("num_inference_steps"))
    if profile.prime and pipe not in _primed:
        prime(pipe, batch[0], settings)
        _primed.add(pipe)
    with infinity_refused(pipe):
        output = call(pipe, batch, settings, on_step)
    if any(getattr(output, "nsfw_content_detected", None) or ()):
        raise blacked_out()
    return [
        Picture(
            image,
            _parameters(pipe, settings, task.request, image),
            (
                *((note,) if note else ()),
                *notes_on(pipe, task.request, settings),
                *_resized(task.request, image),
            ),
        )
        for task, image in zip(batch, map(to_image, output.images), strict=True)
    ]


def _resized(request: Request, image: Image) -> Iterator[str]:
    asked = (request.width or image.width, request.height or image.height)
    if asked != image.size:
        yield f"The model made it {image.width}×{image.height}, not {asked[0]}×{asked[1]}"


def _parameters(
    pipe: DiffusionPipeline, settings: Mapping[str, Any], request: Request, image: Image
) -> Parameters:
    defaults = {name: argument.default for name, argument in arguments(pipe).items()}
    used = defaults | dict(settings)
    sampler, schedule_type = sampler_of(pipe)
    cfg_scale, distilled_cfg_scale = shown(pipe, request, used)
    return Parameters(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        steps=used["num_inference_steps"],
        sampler=sampler,
        schedule_type=schedule_type,
        cfg_scale=cfg_scale,
        distilled_cfg_scale=distilled_cfg_scale,
        seed=request.seed or 0,
        width=image.width,
        height=image.height,
        model=_model_name(pipe),
        version=f"mpsdoctor {__version__}",
    )


def _model_name(pipe: DiffusionPipeline) -> str:
    """The class of a pipeline that was assembled in code, as that has no path."""
    model = model_of(pipe)
    return type(pipe).__name__ if model is None else Path(model).name
