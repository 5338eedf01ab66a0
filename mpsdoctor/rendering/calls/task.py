"""One picture to make."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from mpsdoctor.prompts.request import Request


@dataclass(frozen=True)
class Task:
    """A request, and arguments that it has no fields for.

    `arguments` go to the pipeline unchanged. They override the request, which overrides the
    profile. `generator` draws the noise in place of the request's seed.
    """

    request: Request
    arguments: Mapping[str, Any] = field(default_factory=dict)
    generator: torch.Generator | None = None

    @property
    def noise(self) -> torch.Generator:
        """The generator that draws the noise.

        By default on the CPU, so that a seed gives the same picture on every device (diffusers
        docs: using-diffusers/reusing_seeds).
        """
        if self.generator is not None:
            return self.generator
        return torch.Generator("cpu").manual_seed(self.request.seed or 0)
