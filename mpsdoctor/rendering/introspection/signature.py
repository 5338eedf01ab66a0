"""What a pipeline can be called with."""

import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from mpsdoctor.errors import MpsDoctorError, did_you_mean

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline


def arguments(pipe: "DiffusionPipeline") -> Mapping[str, inspect.Parameter]:
    """The names of the call's parameters, with the parameters."""
    return inspect.signature(type(pipe).__call__).parameters


def require_arguments(pipe: "DiffusionPipeline", names: Iterable[str]) -> None:
    """Raises MpsDoctorError for a name that the pipeline does not declare.

    Many pipelines of Diffusers also take `**kwargs` for arguments that were removed, and silently
    ignore all others.
    """
    known = [name for name, one in arguments(pipe).items() if one.kind != one.VAR_KEYWORD][1:]
    for name in names:
        if name not in known:
            raise MpsDoctorError(
                f"{type(pipe).__name__} takes no argument {name}",
                detail=f"It takes {', '.join(known)}.",
                hint=did_you_mean(name, known, "Leave it out, or use another kind of pipeline."),
            )
