"""What a pipeline can be called with."""

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline


def arguments(pipe: "DiffusionPipeline") -> Mapping[str, inspect.Parameter]:
    """By name."""
    return inspect.signature(type(pipe).__call__).parameters
