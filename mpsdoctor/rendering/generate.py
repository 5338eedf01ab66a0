"""Requests to pictures, as the profile says."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakSet

import torch
from diffusers import DiffusionPipeline
from msgspec.structs import replace
from PIL.Image import Image

from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.infotext import Parameters
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.broken import blacked_out
from mpsdoctor.rendering.guidance import negative_prompts, scales, shown
from mpsdoctor.rendering.introspection.signature import arguments
from mpsdoctor.rendering.introspection.sizes import picture_size, require_size
from mpsdoctor.rendering.notes import notes_on
from mpsdoctor.rendering.pictures import to_image
from mpsdoctor.rendering.schedulers import require_steps, sampler_of, set_scheduler
from mpsdoctor.rendering.steps import OnStep, StepTeller, wait_for
from mpsdoctor.rendering.vae import infinity_refused
from mpsdoctor.resources import is_embedded
from mpsdoctor.version import __version__

_Setting = TypeVar("_Setting", int, float)

_primed: WeakSet[Any] = WeakSet()


@dataclass(frozen=True)
class Picture:
    """An image, what it was made with, and `notes` on what of the request came out otherwise."""

    image: Image
    parameters: Parameters
    notes: tuple[str, ...] = ()


def generate(
    profile: Profile,
    pipe: DiffusionPipeline,
    requests: Sequence[Request],
    on_step: OnStep | None = None,
) -> list[Picture]:
    """One picture a request, in order; each has a seed, and its count is not looked at.

    What a request leaves open is as the profile says, then as the model does. Noise comes from CPU
    generators, so that a seed means the same picture on every device (diffusers docs:
    using-diffusers/reusing_seeds).

    Raises BrokenPictureError where a picture is NaN, infinite or one flat colour, and
    MpsDoctorError where it is larger than the profile allows, where the model's safety checker
    blacked it out, and where its sampler cannot be had, or not with so many steps.
    """
    return [
        picture
        for batch in _batches(profile, requests)
        for picture in _render(profile, pipe, batch, on_step)
    ]


def _batches(profile: Profile, requests: Sequence[Request]) -> Iterator[Sequence[Request]]:
    """Neighbours that ask for the same but for words and seed, or each alone."""
    if profile.one_prompt_at_a_time:
        return ([request] for request in requests)
    groups = itertools.groupby(
        requests, lambda request: replace(request, prompt="", negative_prompt="", seed=0, notes=())
    )
    return (list(batch) for _, batch in groups)


def _render(
    profile: Profile, pipe: DiffusionPipeline, batch: Sequence[Request], on_step: OnStep | None
) -> list[Picture]:
    """`batch` differs in words and seed alone."""
    first = batch[0]
    settings = _settings(profile, pipe, first)
    require_size(
        profile.largest_side,
        picture_size(pipe, settings.get("width"), settings.get("height")),
    )
    note = set_scheduler(pipe, first.sampler, first.schedule_type)
    require_steps(pipe, settings.get("num_inference_steps"))
    if profile.prime and pipe not in _primed:
        _call(pipe, batch[:1], {**settings, "num_inference_steps": 1})
        _primed.add(pipe)
    with infinity_refused(pipe):
        output = _call(pipe, batch, settings, on_step)
    if any(getattr(output, "nsfw_content_detected", None) or ()):
        raise blacked_out()
    return [
        Picture(
            image,
            _parameters(pipe, settings, request, image),
            (
                *((note,) if note else ()),
                *notes_on(pipe, request, settings),
                *_resized(request, image),
            ),
        )
        for request, image in zip(batch, map(to_image, output.images), strict=True)
    ]


def _settings(profile: Profile, pipe: DiffusionPipeline, request: Request) -> dict[str, Any]:
    """What is asked for, as far as this pipeline has such an argument."""
    asked = {
        "width": _first(request.width, profile.width),
        "height": _first(request.height, profile.height),
        "num_inference_steps": _first(request.steps, profile.num_inference_steps),
        **scales(pipe, request, profile.guidance_scale),
    }
    accepted = arguments(pipe)
    return {name: value for name, value in asked.items() if value is not None and name in accepted}


def _first(asked: _Setting | None, otherwise: _Setting | None) -> _Setting | None:
    return otherwise if asked is None else asked


def _call(
    pipe: DiffusionPipeline,
    batch: Sequence[Request],
    settings: Mapping[str, Any],
    on_step: OnStep | None = None,
) -> Any:  # noqa: ANN401
    """Its `images` have shape (pictures, height, width, 3) and values from 0 to 1.

    As PIL images NaN would pass for black.
    """
    given: dict[str, Any] = dict(settings)
    if on_step is not None and "callback_on_step_end" in arguments(pipe):
        given["callback_on_step_end"] = _step_callback(
            StepTeller(on_step, wait_for(pipe.device.type))
        )
    negative = negative_prompts(pipe, [request.negative_prompt for request in batch], settings)
    if negative is not None:
        given["negative_prompt"] = negative
    return pipe(
        prompt=[request.prompt for request in batch],
        generator=[torch.Generator("cpu").manual_seed(request.seed or 0) for request in batch],
        output_type="np",
        **given,
    )


def _resized(request: Request, image: Image) -> Iterator[str]:
    asked = (request.width or image.width, request.height or image.height)
    if asked != image.size:
        yield f"The model made it {image.width}×{image.height}, not {asked[0]}×{asked[1]}"


def _step_callback(teller: StepTeller) -> Callable[..., dict[str, torch.Tensor]]:
    """Diffusers passes pipeline, step (0-based), timestep and tensors, and wants those back."""

    def callback(
        pipe: DiffusionPipeline, step: int, _timestep: float, tensors: dict[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        teller.given(step + 1, pipe.num_timesteps)
        return tensors

    return callback


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
    """A pipeline that was put together in code has no path; its class is what it is known by."""
    source: str | Path | None = pipe.name_or_path
    if source is None:
        return type(pipe).__name__
    return EMBEDDED_MODEL if is_embedded(source) else Path(source).name
