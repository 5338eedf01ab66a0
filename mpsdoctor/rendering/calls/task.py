"""One picture to make."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from mpsdoctor.prompts.request import Request


@dataclass(frozen=True)
class Task:
    """A request, and what it cannot say.

    `arguments` go to the pipeline as they are: they outweigh the request, as that outweighs the
    profile. `generator` draws the noise in place of the request's seed.
    """

    request: Request
    arguments: Mapping[str, Any] = field(default_factory=dict)
    generator: torch.Generator | None = None

    @property
    def noise(self) -> torch.Generator:
        """What draws the noise.

        By default a CPU generator, so that a seed means the same picture on every device (diffusers
        docs: using-diffusers/reusing_seeds).
        """
        if self.generator is not None:
            return self.generator
        return torch.Generator("cpu").manual_seed(self.request.seed or 0)
