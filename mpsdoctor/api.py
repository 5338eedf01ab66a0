"""What users' own code imports: the profile with the methods that load and render."""

import os
import secrets
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import PrivateAttr

from mpsdoctor.paths import expand, plans_folder, profile_path
from mpsdoctor.profile.loading import Layers, read_layers
from mpsdoctor.profile.settings import MODEL_SETTINGS, Profile
from mpsdoctor.prompts.request import SEEDS, Request
from mpsdoctor.prompts.request import expand as expand_requests

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline
    from PIL.Image import Image

    from mpsdoctor.tuning.host import Host


class TunedProfile(Profile):
    """The settings of this machine, ready to use.

    Only the methods import torch, so that `activate` can come before it.
    """

    _layers: Layers | None = PrivateAttr(default=None)
    _path: Path | None = PrivateAttr(default=None)

    def for_model(self, model: str) -> "TunedProfile":
        """The settings for `model` on this machine; this profile where that is its own.

        The profile's file holds for the file's own model. For another one, settings are tuned;
        what was set by hand for all models stays, and so do environment variables and arguments.

        Raises MpsDoctorError where a value is not understood.
        """
        from mpsdoctor.paths import model_name
        from mpsdoctor.tuning.for_model import settings_for
        from mpsdoctor.tuning.machine import machine_facts

        if model_name(model) == model_name(self.model):
            return self
        host = _host()
        path = self._path or profile_path(None, os.environ)
        layers = self._layers or _as_arguments(self)
        settings = settings_for(
            TunedProfile, model, layers, lambda: machine_facts(path, host), host
        )
        return _remembering(settings.loaded.profile, layers, path)

    def load_pipeline(
        self, model: str | None = None, *, local_files_only: bool = False
    ) -> "DiffusionPipeline":
        """The pipeline `model` (default: the profile's), with its settings, on their device.

        As with Diffusers, what is not on this disk is downloaded, unless `local_files_only`.

        Raises MpsDoctorError where the libraries, the model or the device cannot be had.
        """
        from mpsdoctor.libraries import require_libraries

        profile = self if model is None else self.for_model(model)
        profile.activate()
        require_libraries()
        from mpsdoctor.rendering.pipeline import load_pipeline

        return load_pipeline(profile, local_files_only=local_files_only)

    def apply(self, pipe: "DiffusionPipeline") -> "DiffusionPipeline":
        """Moves your own pipeline to the profile's device, with its settings; returns it."""
        from mpsdoctor.rendering.pipeline import apply

        return apply(self, pipe)

    def generate(
        self, pipe: "DiffusionPipeline", prompts: str | Sequence[str], seed: int | None = None
    ) -> "list[Image]":
        """One image a prompt: primes the pipeline if the profile says so, and iterates.

        Prompt i is drawn with seed + i; without a seed, from a random one on.

        Raises MpsDoctorError where a picture is NaN or one flat colour.
        """
        from mpsdoctor.rendering.generate import generate

        texts = [prompts] if isinstance(prompts, str) else list(prompts)
        first = secrets.randbelow(SEEDS) if seed is None else seed
        requests = expand_requests([Request(prompt=text) for text in texts], first)
        return [picture.image for picture in generate(self, pipe, requests)]


def load_profile(path: str | Path | None = None, **settings: Any) -> TunedProfile:  # noqa: ANN401
    """The profile that `mpsdoctor check` wrote, or the one at `path`.

    `settings` override it, and so do environment variables such as `MPSDOCTOR_DTYPE`.

    Raises MpsDoctorError where there is no profile, or a key or value is not understood.
    """
    from mpsdoctor.tuning.for_model import settings_for
    from mpsdoctor.tuning.machine import machine_facts

    file = profile_path(None if path is None else Path(path), os.environ)
    layers, host = read_layers(file, os.environ, settings), _host()
    found = settings_for(TunedProfile, None, layers, lambda: machine_facts(file, host), host)
    return _remembering(found.loaded.profile, layers, file)


def _remembering(profile: TunedProfile, layers: Layers, path: Path) -> TunedProfile:
    profile._layers, profile._path = layers, path
    return profile


def _as_arguments(profile: Profile) -> Layers:
    """Of a profile that was made in code: what it sets for all models."""
    own = profile.model_fields_set - MODEL_SETTINGS - {"model"}
    return Layers(None, {}, {}, {name: getattr(profile, name) for name in own})


def _host() -> "Host":
    from mpsdoctor.facts.command import run
    from mpsdoctor.tuning.host import Host

    return Host(
        environ=os.environ,
        home=expand("~"),
        plans=plans_folder(),
        run=run,
        tell=lambda line: warnings.warn(line, stacklevel=2),
        busy=nullcontext,
    )
