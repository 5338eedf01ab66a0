"""How closely a picture follows its prompt: the field's two scales as a pipeline's arguments.

Classifier-free guidance computes each step with and without the prompt. "Distilled" guidance costs
nothing: the model was trained to take a scale as an input (`guidance_embeds` in a transformer's
configuration).

In such a model, Diffusers calls the distilled scale `guidance_scale`, and that of classifier-free
guidance `true_cfg_scale`. Pipelines of FLUX and Qwen-Image use the latter name for all models
(diffusers docs: api/pipelines/flux, api/pipelines/qwenimage).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mpsdoctor.knowledge.recommended import NO_GUIDANCE
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.introspection.signature import arguments

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline

_SCALE: Final = "guidance_scale"
_TRUE_SCALE: Final = "true_cfg_scale"


@dataclass(frozen=True)
class Guidance:
    """The argument that scales each kind; None if the model has no such guidance."""

    cfg: str | None
    distilled: str | None

    def takes_cfg_scale(self, request: Request) -> bool:
        """Whether the request's CFG scale has an effect."""
        return bool(self.cfg or (self.distilled and request.distilled_cfg_scale is None))


def guidance_of(pipe: "DiffusionPipeline") -> Guidance:
    """The guidance that this pipeline's model has."""
    accepted = arguments(pipe)
    transformer = getattr(pipe, "transformer", None)
    taught = bool(getattr(getattr(transformer, "config", None), "guidance_embeds", False))
    scale = _SCALE if _SCALE in accepted else None
    cfg = _TRUE_SCALE if _TRUE_SCALE in accepted else None if taught else scale
    return Guidance(cfg=cfg, distilled=scale if taught else None)


def scales(
    pipe: "DiffusionPipeline", request: Request, otherwise: float | None
) -> dict[str, float]:
    """Arguments of the call; `otherwise` is the profile's scale.

    For a distilled model, a lone CFG scale means the distilled one: most people and tools know only
    one scale of FLUX.1-dev. Forge writes both.
    """
    guidance = guidance_of(pipe)
    cfg = request.cfg_scale
    distilled = request.distilled_cfg_scale if guidance.distilled else None
    if cfg is None and distilled is None:
        cfg = otherwise
    if guidance.distilled and distilled is None:
        cfg, distilled = None, cfg
    asked = {guidance.cfg: cfg, guidance.distilled: distilled}
    return {name: value for name, value in asked.items() if name and value is not None}


def shown(
    pipe: "DiffusionPipeline", request: Request, used: Mapping[str, Any]
) -> tuple[float, float | None]:
    """CFG scale and distilled CFG scale of a picture, as its request could have named them.

    `used` are all arguments of the call.
    """
    guidance = guidance_of(pipe)
    if guidance.distilled and request.distilled_cfg_scale is None:
        return used[guidance.distilled], None
    cfg = used[guidance.cfg] if guidance.cfg else NO_GUIDANCE
    return cfg, used[guidance.distilled] if guidance.distilled else None


def negative_prompts(
    pipe: "DiffusionPipeline", asked: list[str], settings: Mapping[str, Any]
) -> list[str] | None:
    """The negative prompts for the call; None if they would have no effect.

    A pipeline with `true_cfg_scale` applies it only if there is a negative prompt. If there is
    nothing to avoid, Qwen-Image's model card gives a space.
    """
    if not heeds_negative_prompt(pipe, settings):
        return None
    if _TRUE_SCALE in arguments(pipe):
        return [prompt or " " for prompt in asked]
    return asked if any(asked) else None


def heeds_negative_prompt(pipe: "DiffusionPipeline", settings: Mapping[str, Any]) -> bool:
    """Whether a negative prompt has an effect with these `settings`."""
    accepted = arguments(pipe)
    if "negative_prompt" not in accepted:
        return False
    name = guidance_of(pipe).cfg
    scale = settings.get(name, accepted[name].default) if name else None
    return scale is None or bool(scale > NO_GUIDANCE)
