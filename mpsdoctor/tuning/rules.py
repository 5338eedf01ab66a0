"""The rules: each chooses one setting from facts and needs, and says why."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from packaging.version import Version

from mpsdoctor.facts.records import Facts
from mpsdoctor.knowledge.canaries import meaning_of
from mpsdoctor.knowledge.recommended import Recommendation
from mpsdoctor.knowledge.rendering import PICTURE
from mpsdoctor.profile.choice import ENVIRONMENT, Choice, Choices, Value
from mpsdoctor.tuning import attention, environment
from mpsdoctor.tuning.context import Context
from mpsdoctor.tuning.needs import Needs
from mpsdoctor.tuning.rule_input import RuleInput
from mpsdoctor.tuning.sources import GUIDE

Rule = Callable[[RuleInput], Choice]


def tune(facts: Facts, needs: Needs, device: str | None = None) -> Choices:
    """Every setting of the profile for this machine and this model.

    `device` is the user's own choice, if any; the other settings depend on it.
    """
    context = Context(facts, needs, device)
    return {name: _explained(rule, RuleInput(context)) for name, rule in RULES.items()}


def _explained(rule: Rule, given: RuleInput) -> Choice:
    """The choice, with the facts that the rule has read."""
    choice = rule(given)
    return replace(choice, facts=given.facts)


def _model(given: RuleInput) -> Choice:
    if given.embedded:
        return Choice(given.model, "Ships with mpsdoctor. `check --model` names yours.", "model")
    return Choice(given.model, "Named with `check --model`.", "model")


def _device(given: RuleInput) -> Choice:
    if given.has_mps:
        if fault := given.mps_fault:
            return Choice("cpu", f"{fault.symptom}.", f"fault {fault.id}", fault.sources)
        if given.wrong:
            return _wrong(given.wrong[0])
        return Choice("mps", "torch finds this Mac's GPU.", "device", (GUIDE,))
    if not given.is_mac:
        return Choice("cpu", "This is not a Mac: it has no mps device.", "device")
    return Choice("cpu", "torch cannot use this Mac's GPU. `mpsdoctor check` says why.", "device")


def _wrong(name: str) -> Choice:
    """A test on the GPU counts more than what is known of the versions."""
    if name == PICTURE:
        return Choice("cpu", "The GPU renders the embedded model's picture wrong.", "picture")
    meaning = meaning_of(name)
    reason = f"The GPU gets {meaning.arithmetic} wrong. {meaning.impact}"
    return Choice("cpu", reason, f"canary {name}")


def _dtype(given: RuleInput) -> Choice:
    chosen = given.precision
    return Choice(chosen.dtype, chosen.reason, chosen.rule, chosen.sources)


def _vae_dtype(given: RuleInput) -> Choice:
    """Diffusers' pipeline of SDXL does it by itself if the VAE's config has `force_upcast`."""
    if given.dtype == "float16" and given.pipeline.startswith("StableDiffusionXL"):
        reason = "The VAE of SDXL exceeds the range of float16: black pictures."
        return Choice("float32", reason, "vae-dtype", ("diffusers docs: api/pipelines/sdxl",))
    return Choice(None, "The format of the other weights.", "vae-dtype")


def _variant(given: RuleInput) -> Choice:
    if given.embedded:
        return Choice(None, "The embedded model has one set of weights.", "variant")
    if given.dtype == "float16":
        reason = "Reads half as much from disk. A model without it loads its other weights."
        return Choice("fp16", reason, "variant", (GUIDE,))
    return Choice(None, "The weights as the model's authors published them.", "variant")


def _use_safetensors(_given: RuleInput) -> Choice:
    source = "diffusers docs: using-diffusers/using_safetensors"
    return Choice(True, "Pickled weights can run code while they load.", "safetensors", (source,))


def _vae_slicing(_given: RuleInput) -> Choice:
    source = "diffusers docs: optimization/memory"
    return Choice(False, "One picture at a time leaves nothing to slice.", "vae-slicing", (source,))


def _prime(given: RuleInput) -> Choice:
    if given.on_mps and given.torch is not None and given.torch < Version("2.0"):
        reason = "On torch 1.13 the first pass differs from those after it."
        return Choice(True, reason, "prime", (GUIDE,))
    return Choice(False, "Only torch 1.13 needs a discarded first pass.", "prime", (GUIDE,))


def _one_prompt_at_a_time(_given: RuleInput) -> Choice:
    return Choice(True, "A batch of prompts can crash or fail on mps.", "one-prompt", (GUIDE,))


def _num_inference_steps(given: RuleInput) -> Choice:
    if given.embedded:
        return Choice(12, "The embedded model is judged with 12 steps.", "steps")
    advice = given.recommended
    own = Choice(None, "The number that the model's pipeline has by default.", "steps")
    return _advised(advice, advice.num_inference_steps if advice else None, own)


def _guidance_scale(given: RuleInput) -> Choice:
    if given.embedded:
        return Choice(4.0, "The embedded model is judged with a guidance of 4.", "guidance")
    advice = given.recommended
    own = Choice(None, "The guidance that the model's pipeline has by default.", "guidance")
    return _advised(advice, advice.guidance_scale if advice else None, own)


def _scheduler(given: RuleInput) -> Choice:
    advice = given.recommended
    own = Choice(None, "The one that comes with the model.", "scheduler")
    return _advised(advice, advice.scheduler if advice else None, own)


def _timestep_spacing(given: RuleInput) -> Choice:
    advice = given.recommended
    own = Choice(None, "As the model's scheduler is configured.", "scheduler")
    return _advised(advice, advice.timestep_spacing if advice else None, own)


def _advised(advice: Recommendation | None, value: Value, own: Choice) -> Choice:
    """What the model's authors recommend, else the model's own default."""
    if advice is None or value is None:
        return own
    return Choice(value, f"What is recommended for {advice.name}.", "recommended", advice.sources)


RULES: Final[Mapping[str, Rule]] = {
    "model": _model,
    "device": _device,
    "dtype": _dtype,
    "vae_dtype": _vae_dtype,
    "variant": _variant,
    "use_safetensors": _use_safetensors,
    "attention": attention.attention,
    "attention_budget": attention.attention_budget,
    "vae_tiling": attention.vae_tiling,
    "vae_slicing": _vae_slicing,
    "prime": _prime,
    "one_prompt_at_a_time": _one_prompt_at_a_time,
    "width": attention.side,
    "height": attention.side,
    "largest_side": attention.largest_side,
    "num_inference_steps": _num_inference_steps,
    "guidance_scale": _guidance_scale,
    "scheduler": _scheduler,
    "timestep_spacing": _timestep_spacing,
    f"{ENVIRONMENT}PYTORCH_ENABLE_MPS_FALLBACK": environment.fallback,
    f"{ENVIRONMENT}PYTORCH_MPS_HIGH_WATERMARK_RATIO": environment.high_watermark,
    f"{ENVIRONMENT}PYTORCH_MPS_LOW_WATERMARK_RATIO": environment.low_watermark,
    f"{ENVIRONMENT}PYTORCH_MPS_PREFER_METAL": environment.prefer_metal,
    f"{ENVIRONMENT}PYTORCH_MPS_METAL_VERSION": environment.metal_version,
}
"""Setting name to rule, in the order in which a profile lists them."""
