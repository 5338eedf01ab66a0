"""A1111's names for samplers and schedule types, and Diffusers' classes and options for them.

Sources: the tables in Diffusers' docs (api/schedulers/overview); the names, and what "Automatic"
means, from A1111's `modules/sd_samplers_kdiffusion.py` and `sd_samplers_timesteps.py` 1.10.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from mpsdoctor.errors import MpsDoctorError, did_you_mean


@dataclass(frozen=True)
class Sampler:
    """`scheduler` is Diffusers' class; `config` tells samplers of the same class apart.

    `automatic` is the schedule type that A1111 uses if none is named; "" is the model's own.
    `spaced` is whether the class has `timestep_spacing`; without, it behaves as with "linspace".
    """

    name: str
    scheduler: str
    config: Mapping[str, Any] = field(default_factory=dict)
    automatic: str = ""
    spaced: bool = True


def _multistep(
    name: str, automatic: str, algorithm: str, solver: str = "midpoint", order: int = 2
) -> Sampler:
    config = {"algorithm_type": algorithm, "solver_type": solver, "solver_order": order}
    return Sampler(name, "DPMSolverMultistepScheduler", config, automatic)


SAMPLERS = {
    sampler.name: sampler
    for sampler in (
        Sampler("Euler", "EulerDiscreteScheduler"),
        Sampler("Euler a", "EulerAncestralDiscreteScheduler"),
        Sampler("Heun", "HeunDiscreteScheduler"),
        Sampler("LMS", "LMSDiscreteScheduler"),
        Sampler("DPM2", "KDPM2DiscreteScheduler", automatic="Karras"),
        Sampler("DPM2 a", "KDPM2AncestralDiscreteScheduler", automatic="Karras"),
        _multistep("DPM++ 2M", "Karras", "dpmsolver++"),
        _multistep("DPM++ 2M SDE", "Exponential", "sde-dpmsolver++"),
        _multistep("DPM++ 2M SDE Heun", "Exponential", "sde-dpmsolver++", "heun"),
        _multistep("DPM++ 3M SDE", "Exponential", "sde-dpmsolver++", order=3),
        Sampler("DPM++ SDE", "DPMSolverSinglestepScheduler", automatic="Karras", spaced=False),
        Sampler("DDIM", "DDIMScheduler"),
        Sampler("DDPM", "DDPMScheduler"),
        Sampler("PLMS", "PNDMScheduler", {"skip_prk_steps": True}),
        Sampler("UniPC", "UniPCMultistepScheduler"),
        Sampler("DEIS", "DEISMultistepScheduler"),
        Sampler("LCM", "LCMScheduler"),
        Sampler("TCD", "TCDScheduler"),
    )
}

SIGMAS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas")
"""Options of schedulers; at most one of them may be on."""

SCHEDULE_TYPES: Mapping[str, Mapping[str, Any]] = {
    "Karras": {"use_karras_sigmas": True},
    "Exponential": {"use_exponential_sigmas": True, "timestep_spacing": "linspace"},
    "Beta": {"use_beta_sigmas": True, "timestep_spacing": "linspace"},
    "SGM Uniform": {"timestep_spacing": "trailing"},
    "Simple": {"timestep_spacing": "trailing"},
    "Uniform": {"timestep_spacing": "linspace"},
    "Normal": {"timestep_spacing": "linspace"},
    "DDIM": {"timestep_spacing": "leading"},
}
"""Each type's options of a scheduler. Of types with the same options, pictures name the first."""

AUTOMATIC = "Automatic"

_FLOW_SAMPLERS = {
    "FlowMatchEulerDiscreteScheduler": "Euler",
    "FlowMatchHeunDiscreteScheduler": "Heun",
    "FlowMatchLCMScheduler": "LCM",
}

_SPELLINGS = (
    (r"[_\s]+", " "),
    (r"^k |^sample | gpu$", ""),
    (r"dpmpp", "dpm++"),
    (r"^kdpm", "dpm"),
    (r"dpm 2", "dpm2"),
    (r" ancestral", " a"),
    (r"uni pc( bh2)?", "unipc"),
    (r"^pndm", "plms"),
    (r"sgmuniform|trailing", "sgm uniform"),
    (r" k$", " karras"),
)
"""How others write the same names: k-diffusion and ComfyUI (`dpmpp_2m`, `euler_ancestral`),
InvokeAI (`kdpm_2_k`, `pndm`) and Draw Things (`UniPC Trailing`)."""


def find_sampler(name: str) -> tuple[str, str | None]:
    """The sampler that `name` means, and the schedule type if the name contains one.

    Before 1.9, A1111 wrote "DPM++ 2M Karras" for both. Case does not matter.

    Raises MpsDoctorError if the name is unknown; it suggests the most similar name.
    """
    names = _sampler_names()
    if _normal(name) in names:
        return names[_normal(name)]
    raise MpsDoctorError(
        f"There is no sampler {name!r}",
        detail=f"The samplers are: {', '.join(SAMPLERS)}.",
        hint=did_you_mean(name, SAMPLERS, "Name one of these, or leave it to the model."),
    )


def find_schedule_type(name: str) -> str:
    """The schedule type that `name` means, including "Automatic".

    Raises MpsDoctorError if the name is unknown; it suggests the most similar name.
    """
    names = [*SCHEDULE_TYPES, AUTOMATIC]
    known = {_normal(schedule_type): schedule_type for schedule_type in names}
    known["ddim uniform"] = "DDIM"  # ComfyUI's name
    if _normal(name) in known:
        return known[_normal(name)]
    raise MpsDoctorError(
        f"There is no schedule type {name!r}",
        detail=f"The schedule types are: {', '.join(names)}.",
        hint=did_you_mean(name, names, "Name one of these, or leave it to the sampler."),
    )


def is_known_scheduler(scheduler: str, config: Mapping[str, Any]) -> bool:
    """Whether a model with this scheduler of Diffusers can use the other schedulers.

    Flow-matching models cannot. Their scheduler has another class, or says so in its config.
    """
    flow = config.get("use_flow_sigmas") or config.get("prediction_type") == "flow_prediction"
    return not flow and any(scheduler == known.scheduler for known in SAMPLERS.values())


def name_scheduler(scheduler: str, config: Mapping[str, Any]) -> tuple[str, str | None]:
    """A1111's names for a scheduler of Diffusers: the sampler, or "", and the schedule type.

    Reading them gives the same scheduler again. The schedule type is named only if "Automatic"
    would mean another.
    """
    if not is_known_scheduler(scheduler, config):
        return _FLOW_SAMPLERS.get(scheduler, ""), None
    sampler = next(_samplers_like(scheduler, config), None)
    if sampler is None:
        return "", None
    return sampler.name, _name_schedule(sampler, config)


def _samplers_like(scheduler: str, config: Mapping[str, Any]) -> Iterator[Sampler]:
    for sampler in SAMPLERS.values():
        if sampler.scheduler == scheduler and sampler.config.items() <= dict(config).items():
            yield sampler


def _name_schedule(sampler: Sampler, config: Mapping[str, Any]) -> str | None:
    for name, options in SCHEDULE_TYPES.items():
        own = {key: value for key, value in options.items() if key in SIGMAS}
        if own and own.items() <= {key: config.get(key) for key in SIGMAS}.items():
            return name
    spacing = {"timestep_spacing": config.get("timestep_spacing") if sampler.spaced else "linspace"}
    named = (name for name, options in SCHEDULE_TYPES.items() if options == spacing)
    return next(named, None) if sampler.automatic else None


@cache
def _sampler_names() -> Mapping[str, tuple[str, str | None]]:
    alone = {_normal(name): (name, None) for name in SAMPLERS}
    together = {
        _normal(f"{name} {schedule_type}"): (name, schedule_type)
        for name in SAMPLERS
        for schedule_type in (*SCHEDULE_TYPES, AUTOMATIC)
    }
    return {**together, **alone}


def _normal(name: str) -> str:
    normal = name.strip().casefold()
    for spelling, ours in _SPELLINGS:
        normal = re.sub(spelling, ours, normal)
    return normal
