"""The profile with the methods that users' own code calls."""

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.request import SEEDS, Request, expand

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline
    from PIL.Image import Image


class TunedProfile(Profile):
    """The settings of this machine, ready to use.

    Only the methods import torch, so that `activate` can come before it.
    """

    def load_pipeline(
        self, model: str | None = None, *, local_files_only: bool = False
    ) -> "DiffusionPipeline":
        """The pipeline `model` (default: the profile's), with these settings, on their device.

        As with Diffusers, what is not on this disk is downloaded, unless `local_files_only`.

        Raises MpsDoctorError where the libraries, the model or the device cannot be had.
        """
        from mpsdoctor.libraries import require_libraries

        self.activate()
        require_libraries()
        from mpsdoctor.rendering.pipeline import load_pipeline

        return load_pipeline(self, model, local_files_only=local_files_only)

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
        requests = expand([Request(prompt=text) for text in texts], first)
        return [picture.image for picture in generate(self, pipe, requests)]
