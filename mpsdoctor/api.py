"""What users' own code imports: the profile with the methods that load and render."""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import PrivateAttr

from mpsdoctor.errors import MpsDoctorError, warn
from mpsdoctor.paths import find_profile, model_name, profile_path
from mpsdoctor.profile.loading import Layers, Origin, combine, read_layers
from mpsdoctor.profile.settings import MODEL_SETTINGS, Profile

if TYPE_CHECKING:
    import torch
    from diffusers import DiffusionPipeline
    from PIL.Image import Image
    from typing_extensions import Unpack

    from mpsdoctor.facts.records import Facts
    from mpsdoctor.profile.keywords import Settings
    from mpsdoctor.rendering.steps import OnStep
    from mpsdoctor.reports.notebook import ShownReport
    from mpsdoctor.tuning.host import Host

__all__ = ["Profile", "TunedProfile", "check", "load_profile"]

Pipe = TypeVar("Pipe", bound="DiffusionPipeline")


@dataclass(frozen=True)
class _Source:
    """Where settings come from, so that another model's can be asked for.

    `facts` are those of this machine, once they were needed. `known` are the answers by model.
    """

    layers: Layers
    path: Path
    facts: "list[Facts]" = field(default_factory=list, compare=False)
    known: "dict[str | None, TunedProfile]" = field(default_factory=dict, compare=False)

    def profile(self, model: str | None) -> "TunedProfile":
        """The settings for `model`; None means the one that the layers name."""
        from mpsdoctor.tuning.for_model import settings_for

        if model not in self.known:
            found = settings_for(TunedProfile, model, self.layers, self._examined, _host())
            self.known[model] = found.loaded.profile
            self.known[model]._source = self
        return self.known[model]

    def with_arguments(self, settings: Mapping[str, Any]) -> "_Source":
        arguments = {**self.layers.arguments, **settings}
        return replace(self, layers=replace(self.layers, arguments=arguments), known={})

    def _examined(self) -> "Facts":
        from mpsdoctor.tuning.machine import machine_facts

        if not self.facts:
            self.facts.append(machine_facts(self.path, _host()))
        return self.facts[0]


class TunedProfile(Profile):
    """The settings of this machine, ready to use.

    Only the methods import torch, so that `activate` can come before it.
    """

    _source: _Source | None = PrivateAttr(default=None)

    def with_settings(self, **settings: "Unpack[Settings]") -> "TunedProfile":
        """This profile with other settings, which apply to every model, as in `load_profile`.

        For another model or device it is tuned again, unless it was made in code.

        Raises MpsDoctorError if a name or value is not understood.
        """
        source = self._origin()
        own = {name: getattr(self, name) for name in self.model_fields_set}
        combine(TunedProfile, {Origin.DEFAULT: own, Origin.ARGUMENT: settings}, source.path)
        if source.layers.path and settings.keys() & {"model", "device"}:
            return source.with_arguments(settings).profile(settings.get("model", self.model))
        return self.model_copy(update=settings)

    def model_copy(
        self, *, update: Mapping[str, Any] | None = None, deep: bool = False
    ) -> "TunedProfile":
        """A copy with these settings in place of this profile's, for other models too.

        Raises pydantic's ValidationError for what the constructor refuses.
        """
        copied = super().model_copy(update=update, deep=deep)
        if update and copied._source:
            copied._source = copied._source.with_arguments(update)
        return copied

    def for_model(self, model: str) -> "TunedProfile":
        """The settings for `model` on this machine; this profile if it is the profile's model.

        The profile's file applies to the file's own model. For another one, settings are tuned.
        Settings made by hand for all models stay, and so do environment variables and arguments.

        Raises MpsDoctorError if a value is not understood.
        """
        name = model_name(model)
        return self if name == model_name(self.model) else self._origin().profile(name)

    def load_pipeline(
        self, model: str | None = None, *, local_files_only: bool = False
    ) -> "DiffusionPipeline":
        """The text-to-image pipeline of `model`, with its settings, on their device.

        `model` is a Hugging Face id, a folder, or `shapes`; by default the profile's. As with
        Diffusers, missing files are downloaded, unless `local_files_only`. Activates the profile
        first.

        Raises MpsDoctorError if the libraries, the model or the device is missing.
        """
        from mpsdoctor.libraries import require_libraries

        profile = self if model is None else self.for_model(model)
        profile.activate()
        require_libraries()
        from mpsdoctor.rendering.pipeline import load_pipeline

        return load_pipeline(profile, local_files_only=local_files_only)

    def apply(self, pipe: Pipe, *, convert: bool = False) -> Pipe:
        """Gives your own pipeline the settings of its model, in place; returns it.

        The pipeline is moved to the profile's device, unless it is offloaded or has a device map.
        Attention and VAE are set. The number format of weights is chosen when they are loaded. If
        it differs from the profile's, an MpsDoctorWarning names the components and the code that
        loads them correctly. With `convert` they are cast instead; quantized components are not.

        Raises MpsDoctorError if torch cannot use the device.
        """
        from mpsdoctor.rendering.number_format import advice, differing
        from mpsdoctor.rendering.pipeline import apply

        profile = self._for_pipe(pipe)
        apply(profile, pipe, convert=convert)
        if differ := differing(pipe, profile):
            warn(advice(pipe, profile, differ))
        return pipe

    def generate(
        self,
        pipe: "DiffusionPipeline",
        prompts: str | Sequence[str] | None = None,
        seed: int | Sequence[int] | None = None,
        *,
        negative_prompt: str | Sequence[str] | None = None,
        num_inference_steps: int | Sequence[int] | None = None,
        guidance_scale: float | Sequence[float] | None = None,
        width: int | Sequence[int] | None = None,
        height: int | Sequence[int] | None = None,
        num_images_per_prompt: int = 1,
        generator: "torch.Generator | Sequence[torch.Generator] | None" = None,
        on_step: "OnStep | None" = None,
        **pipeline_kwargs: Any,  # noqa: ANN401
    ) -> "list[Image]":
        """Makes pictures, one after the other, and checks each; PIL images in RGB, in order.

        Arguments have Diffusers' names and meanings: the pipeline, called with the same arguments,
        makes the same pictures. Each text, number and seed can also be a list with one value per
        prompt. For omitted arguments, the profile's settings for the pipeline's model count, then
        the pipeline's defaults.

        Args:
            pipe: From `load_pipeline`, or your own: also for image to image, inpainting and
                ControlNets. A pipeline without a model name gets only settings for all models.
            prompts: None with `prompt_embeds`.
            seed: From 0 to 2**64 - 1; random by default. Picture i has seed + i. Noise is drawn on
                the CPU, so that a seed means the same picture on every device (diffusers docs:
                using-diffusers/reusing_seeds).
            negative_prompt: What not to show.
            num_inference_steps: Of the denoising.
            guidance_scale: How closely to follow the prompt.
            width: In pixels. By default that of the `image` or `control_image` to draw over.
            height: As `width`.
            num_images_per_prompt: Each with its own noise, one at a time.
            generator: In place of a seed; one for all continues from picture to picture.
            on_step: Called after a denoising step with its number, from 1, and the number of steps.
            pipeline_kwargs: Any other argument of the pipeline, such as `image`, `mask_image`,
                `strength`, `control_image`, `prompt_embeds` or `callback_on_step_end`.

        Issues an MpsDoctorWarning for arguments that have no effect on this model.

        Raises:
            BrokenPictureError: A picture is NaN, infinite or one flat colour.
            MpsDoctorError: The pipeline does not take an argument, or a value or the length of a
                list does not fit. Or a picture would be larger than the profile's `largest_side`.
                All this is checked before anything is computed. Or the model's safety checker
                blacked a picture out.
            ValueError, TypeError: What the pipeline itself says of its arguments.
        """
        from mpsdoctor.rendering.calls.arguments import tasks_of
        from mpsdoctor.rendering.generate import draw

        given = {
            "negative_prompt": negative_prompt,
            "num_inference_steps": num_inference_steps,
            "guidance_scale": guidance_scale,
            "width": width,
            "height": height,
            "num_images_per_prompt": num_images_per_prompt,
            **pipeline_kwargs,
        }
        tasks = tasks_of(pipe, prompts, seed, generator, given)
        pictures = draw(self._for_pipe(pipe), pipe, tasks, on_step)
        for note in dict.fromkeys(note for picture in pictures for note in picture.notes):
            warn(f"{note}.")
        return [picture.image for picture in pictures]

    def _for_pipe(self, pipe: "DiffusionPipeline") -> "TunedProfile":
        """The settings of the model that the pipeline was loaded from."""
        from mpsdoctor.rendering.introspection.model import model_of

        model = model_of(pipe)
        return self._for_all_models() if model is None else self.for_model(model)

    def _for_all_models(self) -> "TunedProfile":
        """The settings for all models; the pipeline's model decides the rest."""
        layers = self._origin().layers
        everywhere = {**layers.environment, **layers.arguments}
        own = self.model_fields_set - (MODEL_SETTINGS - everywhere.keys())
        return TunedProfile(**{name: getattr(self, name) for name in own})

    def _origin(self) -> _Source:
        """The source; the settings of a profile that was made in code count as arguments."""
        if self._source is None:
            own = self.model_fields_set - {"model"}
            if "model" in self.model_fields_set:
                own -= MODEL_SETTINGS
            arguments = {name: getattr(self, name) for name in own}
            self._source = _Source(Layers(None, {}, {}, arguments), profile_path(None, os.environ))
        return self._source


def load_profile(path: str | Path | None = None, **settings: "Unpack[Settings]") -> TunedProfile:
    """The profile that `mpsdoctor check` wrote, or the one at `path`.

    `settings` override it, and so do environment variables such as `MPSDOCTOR_DTYPE`.

    Raises MpsDoctorError if there is no profile, or a key or value is not understood.
    """
    file = profile_path(None if path is None else Path(path), os.environ)
    return _Source(read_layers(file, os.environ, settings), file).profile(None)


def check(
    *,
    model: str | None = None,
    python: str | None = None,
    quick: bool = False,
    device: Literal["mps", "cpu"] | None = None,
    render: bool = False,
    ignore: Iterable[str] = (),
    profile: str | Path | None = None,
) -> "ShownReport":
    """Examines this machine as `mpsdoctor check` does, and writes nothing.

    The report's `outcome` says whether this machine can render on mps, its `results` how each check
    ended. As text, and as the value of a notebook's cell, it looks as on a terminal.

    Args:
        model: A Hugging Face id or a folder to check, in place of the profile's.
        python: The program or folder of another Python, whose environment is examined.
        quick: Whether to skip PyTorch, which takes seconds to import in a child process.
        device: Where to test arithmetic and picture; mps by default, if there is one.
        render: Whether to render a picture and compare it with the CPU's.
        ignore: Ids of checks to leave out, in addition to those that the profile ignores.
        profile: The profile's file, in place of the usual one.

    Raises MpsDoctorError if that Python cannot be run, an id is not known, or `quick` skips what
    `device` or `render` need.
    """
    if quick and (render or device):
        raise MpsDoctorError(
            "A quick check cannot test the device",
            detail="quick=True skips PyTorch, which device= and render= need.",
            hint="Leave quick out.",
        )
    from mpsdoctor.doctor.examine import examine_machine
    from mpsdoctor.profile import quick_settings
    from mpsdoctor.reports.notebook import ShownReport

    file = find_profile(None if profile is None else Path(profile), os.environ)
    settings = quick_settings.read(file, os.environ)
    report = examine_machine(
        settings,
        model=model,
        python=python,
        quick=quick,
        device=device,
        render=render,
        ignore={*ignore, *settings.ignore},
        profile=file,
    )
    return ShownReport(facts=report.facts, results=report.results)


def _host() -> "Host":
    from mpsdoctor.tuning.host import this_process

    return this_process(warn, nullcontext)
