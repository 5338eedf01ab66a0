"""The rules: each chooses one setting from facts and needs, and says why."""

from collections.abc import Callable, Mapping
from typing import Final

from packaging.version import Version

from mpsdoctor.facts.model import Facts
from mpsdoctor.knowledge.versions import parse
from mpsdoctor.profile.choice import ENVIRONMENT, Choice, Choices
from mpsdoctor.tuning import attention, environment
from mpsdoctor.tuning.needs import Needs
from mpsdoctor.tuning.situation import Situation
from mpsdoctor.tuning.sources import GUIDE

Rule = Callable[[Situation], Choice]


def tune(facts: Facts, needs: Needs) -> Choices:
    """Every setting of the profile for this machine and this model."""
    situation = Situation(facts, needs)
    return {name: rule(situation) for name, rule in RULES.items()}


def _model(situation: Situation) -> Choice:
    needs = situation.needs
    if needs.embedded:
        return Choice(needs.model, "Ships with mpsdoctor; `check --model` names yours.", "model")
    return Choice(needs.model, "Named with `mpsdoctor check --model`.", "model")


def _device(situation: Situation) -> Choice:
    facts = situation.facts
    if situation.on_mps:
        return Choice("mps", "torch finds this Mac's GPU.", "device", (GUIDE,))
    if situation.has_mps and (fault := situation.mps_fault):
        return Choice("cpu", f"{fault.symptom}.", f"fault {fault.id}", fault.sources)
    if not facts.is_mac:
        return Choice("cpu", "This is not a Mac: it has no mps device.", "device")
    return Choice("cpu", "torch cannot use this Mac's GPU: `mpsdoctor check` says why.", "device")


def _dtype(situation: Situation) -> Choice:
    chosen = situation.precision
    return Choice(chosen.dtype, chosen.reason, chosen.rule, chosen.sources)


def _vae_dtype(situation: Situation) -> Choice:
    """Diffusers' pipeline of SDXL does it by itself where the VAE's config has `force_upcast`."""
    pipeline = situation.needs.pipeline or ""
    if situation.precision.dtype == "float16" and pipeline.startswith("StableDiffusionXL"):
        reason = "The VAE of SDXL exceeds the range of float16: black pictures."
        return Choice("float32", reason, "vae-dtype", ("diffusers docs: api/pipelines/sdxl",))
    return Choice(None, "The format of the other weights.", "vae-dtype")


def _variant(situation: Situation) -> Choice:
    if situation.needs.embedded:
        return Choice(None, "The embedded model has one set of weights.", "variant")
    if situation.precision.dtype == "float16":
        reason = "Reads half as much from disk; a model without it loads its other weights."
        return Choice("fp16", reason, "variant", (GUIDE,))
    return Choice(None, "The weights as the model's authors published them.", "variant")


def _use_safetensors(_situation: Situation) -> Choice:
    source = "diffusers docs: using-diffusers/using_safetensors"
    return Choice(True, "Pickled weights can run code while they load.", "safetensors", (source,))


def _vae_slicing(_situation: Situation) -> Choice:
    return Choice(False, "One picture at a time leaves nothing to slice.", "vae-slicing")


def _prime(situation: Situation) -> Choice:
    version = parse(situation.facts.torch_version)
    if situation.on_mps and version is not None and version < Version("2.0"):
        reason = "On torch 1.13 the first pass differs from those after it."
        return Choice(True, reason, "prime", (GUIDE,))
    return Choice(False, "Only torch 1.13 needs a discarded first pass.", "prime", (GUIDE,))


def _one_prompt_at_a_time(_situation: Situation) -> Choice:
    return Choice(True, "A batch of prompts can crash or fail on mps.", "one-prompt", (GUIDE,))


def _num_inference_steps(situation: Situation) -> Choice:
    if situation.needs.embedded:
        return Choice(12, "The embedded model is judged with 12 steps.", "steps")
    return Choice(None, "The number that the model's pipeline has by default.", "steps")


def _guidance_scale(situation: Situation) -> Choice:
    if situation.needs.embedded:
        return Choice(4.0, "The embedded model is judged with a guidance of 4.", "guidance")
    return Choice(None, "The guidance that the model's pipeline has by default.", "guidance")


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
    f"{ENVIRONMENT}PYTORCH_ENABLE_MPS_FALLBACK": environment.fallback,
    f"{ENVIRONMENT}PYTORCH_MPS_HIGH_WATERMARK_RATIO": environment.high_watermark,
    f"{ENVIRONMENT}PYTORCH_MPS_LOW_WATERMARK_RATIO": environment.low_watermark,
    f"{ENVIRONMENT}PYTORCH_MPS_PREFER_METAL": environment.prefer_metal,
    f"{ENVIRONMENT}PYTORCH_MPS_METAL_VERSION": environment.metal_version,
}
"""Setting name to rule, in the order in which a profile lists them."""
