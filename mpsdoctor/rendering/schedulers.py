"""The sampler that a request names, on a pipeline."""

import inspect
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import diffusers
from diffusers import DiffusionPipeline, SchedulerMixin

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.install_commands import install_line_here
from mpsdoctor.prompts.samplers import (
    AUTOMATIC,
    SAMPLERS,
    SCHEDULE_TYPES,
    SIGMAS,
    is_known_scheduler,
    name_scheduler,
)


@dataclass(frozen=True)
class _Replacement:
    """What a scheduler of ours stands for, and the pipeline's own that it stands in for."""

    own: SchedulerMixin
    sampler: str
    schedule_type: str | None


_replacements: WeakKeyDictionary[Any, _Replacement] = WeakKeyDictionary()


def set_scheduler(
    pipe: DiffusionPipeline, sampler: str | None, schedule_type: str | None
) -> str | None:
    """Gives `pipe` the scheduler that A1111's names mean, or its own again where both are None.

    It is built from the config of the pipeline's own scheduler, as that belongs to the model.
    Returns what the user should know: a flow-matching model keeps its own scheduler, and not every
    sampler has schedule types.

    Raises MpsDoctorError where the scheduler needs a package that is not installed.
    """
    _restore(pipe)
    automatic = schedule_type in (None, AUTOMATIC)
    if sampler is None and automatic:
        return None
    own = getattr(pipe, "scheduler", None)
    if own is None or not is_known_scheduler(type(own).__name__, own.config):
        if automatic and sampler == sampler_of(pipe)[0]:
            return None
        named = " ".join(name for name in (sampler, schedule_type) if name)
        return f"{named} has no effect: this model keeps its own sampler"
    name = sampler or sampler_of(pipe)[0]
    scheduler, used = _build(own, sampler, schedule_type)
    _replacements[scheduler] = _Replacement(own, name, used)
    pipe.scheduler = scheduler
    if automatic or schedule_type == used:
        return None
    return f"{schedule_type} has no effect: {name or 'this sampler'} has no such schedule type"


def sampler_of(pipe: DiffusionPipeline) -> tuple[str, str | None]:
    """A1111's names for what `pipe` samples with: "" where it has none, and the schedule type."""
    scheduler = getattr(pipe, "scheduler", None)
    if scheduler is None:
        return "", None
    if scheduler in _replacements:
        replacement = _replacements[scheduler]
        return replacement.sampler, replacement.schedule_type
    return name_scheduler(type(scheduler).__name__, scheduler.config)


def require_steps(pipe: DiffusionPipeline, steps: int | None) -> None:
    """Raises MpsDoctorError where the scheduler has no so many steps, as LCM's and TCD's."""
    config = getattr(getattr(pipe, "scheduler", None), "config", {})
    most = config.get("original_inference_steps")
    if steps is not None and most is not None and steps > most:
        raise MpsDoctorError(
            f"{sampler_of(pipe)[0] or 'This sampler'} takes at most {most} steps",
            detail=f"{steps} are asked for.",
            hint=f"Write `Steps: {most}`; 4 to 8 are usual.",
        )


def _restore(pipe: DiffusionPipeline) -> None:
    scheduler = getattr(pipe, "scheduler", None)
    if scheduler is not None and scheduler in _replacements:
        pipe.scheduler = _replacements[scheduler].own


def _build(
    own: SchedulerMixin, sampler: str | None, schedule_type: str | None
) -> tuple[SchedulerMixin, str | None]:
    """The scheduler, and the schedule type that it has; None for the model's own.

    Where the one that is wanted cannot be had, "Automatic" would be another than what it has.
    """
    known = SAMPLERS[sampler] if sampler else None
    kind = getattr(diffusers, known.scheduler) if known else type(own)
    config = known.config if known else {}
    wanted = schedule_type
    if schedule_type in (None, AUTOMATIC):
        wanted = known.automatic if known else None
    options = _schedule_options(kind, wanted) if wanted else None
    try:
        scheduler = kind.from_config(own.config, **config, **(options or {}))
    except ImportError as error:  # Diffusers' stand-in for a class, and its check for Beta
        raise _needs_scipy(" ".join(name for name in (sampler, wanted) if name)) from error
    if wanted and options is None:
        return scheduler, name_scheduler(kind.__name__, scheduler.config)[1]
    return scheduler, wanted


def _schedule_options(kind: type, schedule_type: str) -> dict[str, Any] | None:
    """What the class is built with for it, all other sigmas off; None where it cannot be had."""
    known = inspect.signature(kind.__init__).parameters  # type: ignore[misc]
    options = dict(SCHEDULE_TYPES[schedule_type])
    if "timestep_spacing" not in known and options.get("timestep_spacing") == "linspace":
        del options["timestep_spacing"]  # such a class knows no other
    if not options.keys() <= known.keys():
        return None
    return {name: False for name in SIGMAS if name in known} | options


def _needs_scipy(name: str) -> MpsDoctorError:
    return MpsDoctorError(
        f"{name} needs the package scipy",
        detail="Diffusers computes it with scipy, which is not installed here.",
        hint=f"Install it: {install_line_here('scipy')}; or name another sampler.",
    )
