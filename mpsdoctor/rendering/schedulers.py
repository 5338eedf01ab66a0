"""The sampler that a profile or a request names, on a pipeline."""

import inspect
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import diffusers
from diffusers import DiffusionPipeline, SchedulerMixin

from mpsdoctor.errors import MpsDoctorError, did_you_mean
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
    """The names of a scheduler that we set, and the pipeline's own scheduler that it replaces."""

    own: SchedulerMixin
    sampler: str
    schedule_type: str | None


_replacements: WeakKeyDictionary[Any, _Replacement] = WeakKeyDictionary()
_models_own: WeakKeyDictionary[Any, SchedulerMixin] = WeakKeyDictionary()
"""A profile's scheduler to the one that came with the model."""


def set_default_scheduler(
    pipe: DiffusionPipeline, scheduler: str | None, timestep_spacing: str | None
) -> None:
    """Gives `pipe` the scheduler that a profile names, or its model's again if both are None.

    `scheduler` is a class of Diffusers. Requests start from this scheduler and restore it.

    Raises MpsDoctorError if there is no such class, or it does not suit the model.
    """
    _restore(pipe)
    present: Any = getattr(pipe, "scheduler", None)
    if present is None:
        return
    own: Any = _models_own.get(present, present)
    kind = _suitable(own, scheduler) if scheduler else type(own)
    options = {"timestep_spacing": timestep_spacing} if timestep_spacing else {}
    if not options.keys() <= inspect.signature(kind.__init__).parameters.keys():
        raise _does_not_suit(
            "timestep_spacing", timestep_spacing, f"{kind.__name__} has no such setting."
        )
    if kind is type(own) and options.items() <= dict(own.config).items():
        pipe.scheduler = own
        return
    try:
        pipe.scheduler = kind.from_config(own.config, **options)
    except ImportError as error:  # Diffusers' stand-in for a class
        raise _needs_scipy(kind.__name__) from error
    _models_own[pipe.scheduler] = own


def set_scheduler(
    pipe: DiffusionPipeline, sampler: str | None, schedule_type: str | None
) -> str | None:
    """Gives `pipe` the scheduler that A1111's names mean, or its own again if both are None.

    It is built from the config of the pipeline's own scheduler, because that belongs to the model.
    Returns a note for the user, if any: a flow-matching model keeps its own scheduler, and not
    every sampler has schedule types.

    Raises MpsDoctorError if the scheduler needs a package that is not installed.
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
    """A1111's names for the pipeline's sampler ("" if it has none) and schedule type."""
    scheduler = getattr(pipe, "scheduler", None)
    if scheduler is None:
        return "", None
    if scheduler in _replacements:
        replacement = _replacements[scheduler]
        return replacement.sampler, replacement.schedule_type
    return name_scheduler(type(scheduler).__name__, scheduler.config)


def require_steps(pipe: DiffusionPipeline, steps: int | None) -> None:
    """Raises MpsDoctorError if the scheduler takes fewer steps, as those of LCM and TCD do."""
    config = getattr(getattr(pipe, "scheduler", None), "config", {})
    most = config.get("original_inference_steps")
    if steps is not None and most is not None and steps > most:
        raise MpsDoctorError(
            f"{sampler_of(pipe)[0] or 'This sampler'} takes at most {most} steps",
            detail=f"{steps} were requested.",
            hint=f"Write `Steps: {most}`; 4 to 8 are usual.",
        )


def _suitable(own: SchedulerMixin, name: str) -> Any:  # noqa: ANN401
    """The class of that name; a flow-matching model takes only its own."""
    ours = type(own).__name__
    known = {sampler.scheduler for sampler in SAMPLERS.values()}
    names = known if is_known_scheduler(ours, own.config) else {ours}
    if name not in names:
        detail = f"The model comes with {ours}, and takes: {', '.join(sorted(names))}."
        raise _does_not_suit("scheduler", name, detail, names)
    return getattr(diffusers, name)


def _does_not_suit(
    setting: str, value: str | None, detail: str, names: Collection[str] = ()
) -> MpsDoctorError:
    return MpsDoctorError(
        f"{setting} = {value} in the profile does not suit this model",
        detail=detail,
        hint=did_you_mean(str(value), names, f"Delete the line of {setting} in the profile."),
    )


def _restore(pipe: DiffusionPipeline) -> None:
    scheduler = getattr(pipe, "scheduler", None)
    if scheduler is not None and scheduler in _replacements:
        pipe.scheduler = _replacements[scheduler].own


def _build(
    own: SchedulerMixin, sampler: str | None, schedule_type: str | None
) -> tuple[SchedulerMixin, str | None]:
    """The scheduler, and the schedule type that it has; None for the model's own.

    If it does not have the wanted type, the result names the type that it uses: "Automatic" can
    mean another.
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
    """The options of the class for it, all other sigmas off; None if the class lacks it."""
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
