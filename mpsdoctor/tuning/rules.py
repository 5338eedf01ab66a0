"""The rules: each chooses one setting from facts and needs, and says why."""

from collections.abc import Callable, Mapping
from typing import Final

from packaging.version import Version

from mpsdoctor.facts.model import CanaryStatus, Facts
from mpsdoctor.knowledge import dtypes
from mpsdoctor.knowledge.versions import parse
from mpsdoctor.profile.choice import ENVIRONMENT, Choice, Choices
from mpsdoctor.tuning.needs import Denoiser, Needs

Rule = Callable[[Facts, Needs], Choice]

GUIDE: Final = "diffusers docs: optimization/mps"
TORCH_DOCS: Final = "pytorch docs: mps_environment_variables"
GIB: Final = 1024**3


def tune(facts: Facts, needs: Needs) -> Choices:
    """Every setting of the profile for this machine and this model."""
    return {name: rule(facts, needs) for name, rule in RULES.items()}


def _model(facts: Facts, needs: Needs) -> Choice:
    if needs.embedded:
        return Choice(needs.model, "Ships with mpsdoctor; `check --model` names yours.", "model")
    return Choice(needs.model, "Named with `mpsdoctor check --model`.", "model")


def _device(facts: Facts, needs: Needs) -> Choice:
    if _on_mps(facts):
        return Choice("mps", "torch finds this Mac's GPU.", "device", (GUIDE,))
    if not facts.is_mac:
        return Choice("cpu", "This is not a Mac: it has no mps device.", "device")
    return Choice("cpu", "torch cannot use this Mac's GPU: `mpsdoctor check` says why.", "device")


def _dtype(facts: Facts, needs: Needs) -> Choice:
    """float16, as the guide says, except for models that it breaks."""
    if not _on_mps(facts):
        return Choice("float32", "A CPU computes float16 slowly and less exactly.", "dtype")
    family = dtypes.family(needs.model, needs.pipeline)
    if family is None or "float16" not in family.fails:
        return Choice("float16", "Half the memory of float32.", "dtype", (GUIDE,))
    reason = f"{family.name} fails in float16: {family.why}."
    macos = parse(facts.system.macos_version)
    if family.use == "bfloat16" and not dtypes.has_bfloat16(parse(facts.torch_version), macos):
        reason += " This macOS or this torch has no bfloat16 on mps."
        return Choice("float32", reason, "dtype-model", family.sources)
    return Choice(family.use, reason, "dtype-model", family.sources)


def _variant(facts: Facts, needs: Needs) -> Choice:
    if needs.embedded:
        return Choice(None, "The embedded model has one set of weights.", "variant")
    if _dtype(facts, needs).value == "float16":
        reason = "Reads half as much from disk; a model without it loads its other weights."
        return Choice("fp16", reason, "variant", (GUIDE,))
    return Choice(None, "The weights as the model's authors published them.", "variant")


def _use_safetensors(facts: Facts, needs: Needs) -> Choice:
    source = "diffusers docs: using-diffusers/using_safetensors"
    return Choice(True, "Pickled weights can run code while they load.", "safetensors", (source,))


def _attention(facts: Facts, needs: Needs) -> Choice:
    """The guide's attention slicing, except where it breaks pictures or does nothing."""
    if not _on_mps(facts):
        return Choice("native", "Slicing is advice for mps.", "attention", (GUIDE,))
    if needs.embedded:
        return Choice("native", "128×128 pixels leave nothing to slice.", "attention")
    if needs.denoiser is Denoiser.TRANSFORMER:
        reason = "enable_attention_slicing does nothing on a transformer: only UNets obey it."
        return Choice("native", reason, "attention-no-op", ("diffusers: set_attention_slice",))
    if _canary_failed(facts, "baddbmm-beta-zero"):
        reason = "A canary shows on this device that enable_attention_slicing gives wrong numbers."
        return Choice("native", reason, "attention-canary", ("pytorch #187521",))
    if _slicing_returns_nan(facts):
        reason = "On torch 2.0 to 2.13 enable_attention_slicing gives NaN on mps: black pictures."
        return Choice("native", reason, "attention-nan", ("pytorch #187521", "diffusers #14438"))
    if _ram_gib(facts) < 64:
        return Choice("sliced", "This Mac has less than 64 GB of memory.", "attention", (GUIDE,))
    if (needs.side or 0) > 512:
        return Choice("sliced", "The model's pictures exceed 512×512.", "attention", (GUIDE,))
    return Choice("native", "Small pictures and 64 GB or more: no need.", "attention", (GUIDE,))


def _vae_tiling(facts: Facts, needs: Needs) -> Choice:
    reason = "Tiles save memory but can leave seams; worth trying above 1024×1024."
    return Choice(False, reason, "vae-tiling", ("diffusers docs: optimization/memory",))


def _vae_slicing(facts: Facts, needs: Needs) -> Choice:
    return Choice(False, "One picture at a time leaves nothing to slice.", "vae-slicing")


def _prime(facts: Facts, needs: Needs) -> Choice:
    version = parse(facts.torch_version)
    if _on_mps(facts) and version is not None and version < Version("2.0"):
        reason = "On torch 1.13 the first pass differs from those after it."
        return Choice(True, reason, "prime", (GUIDE,))
    return Choice(False, "Only torch 1.13 needs a discarded first pass.", "prime", (GUIDE,))


def _one_prompt_at_a_time(facts: Facts, needs: Needs) -> Choice:
    return Choice(True, "A batch of prompts can crash or fail on mps.", "one-prompt", (GUIDE,))


def _side(facts: Facts, needs: Needs) -> Choice:
    if needs.embedded:
        return Choice(128, "The size that the embedded model was trained for.", "size")
    return Choice(None, "The size that the model was trained for.", "size")


def _num_inference_steps(facts: Facts, needs: Needs) -> Choice:
    if needs.embedded:
        return Choice(12, "The embedded model is judged with 12 steps.", "steps")
    return Choice(None, "The number that the model's pipeline has by default.", "steps")


def _guidance_scale(facts: Facts, needs: Needs) -> Choice:
    if needs.embedded:
        return Choice(4.0, "The embedded model is judged with a guidance of 4.", "guidance")
    return Choice(None, "The guidance that the model's pipeline has by default.", "guidance")


def _fallback(facts: Facts, needs: Needs) -> Choice:
    reason = "An operation that mps lacks runs on the CPU, with a warning, instead of failing."
    return _variable("1", facts, reason, "fallback", TORCH_DOCS)


def _high_watermark(facts: Facts, needs: Needs) -> Choice:
    reason = (
        "torch's own limit is 1.7 times what Metal recommends, more than this Mac's memory; "
        "swapping turns seconds into minutes."
    )
    return _variable("1.0", facts, reason, "watermark", TORCH_DOCS, "pytorch #105839")


def _low_watermark(facts: Facts, needs: Needs) -> Choice:
    reason = "It must not exceed the high ratio; torch's own, 1.4, would, and torch would refuse."
    return _variable("0.8", facts, reason, "watermark", TORCH_DOCS, "pytorch #96814")


def _variable(value: str, facts: Facts, reason: str, rule: str, *sources: str) -> Choice:
    if _on_mps(facts):
        return Choice(value, reason, rule, sources)
    return Choice(None, "Only read where there is an mps device.", rule, sources)


def _on_mps(facts: Facts) -> bool:
    return facts.torch is not None and facts.torch.mps_available is True


def _slicing_returns_nan(facts: Facts) -> bool:
    """A version that is not known counts as affected: slow is better than black."""
    version = parse(facts.torch_version)
    return version is None or Version("2.0") <= version < Version("2.14")


def _canary_failed(facts: Facts, name: str) -> bool:
    bad = (CanaryStatus.WRONG, CanaryStatus.FAILED)
    return any(
        canary.name == name and canary.device == "mps" and canary.status in bad
        for canary in facts.canaries or ()
    )


def _ram_gib(facts: Facts) -> float:
    return (facts.hardware.ram_bytes or 0) / GIB


RULES: Final[Mapping[str, Rule]] = {
    "model": _model,
    "device": _device,
    "dtype": _dtype,
    "variant": _variant,
    "use_safetensors": _use_safetensors,
    "attention": _attention,
    "vae_tiling": _vae_tiling,
    "vae_slicing": _vae_slicing,
    "prime": _prime,
    "one_prompt_at_a_time": _one_prompt_at_a_time,
    "width": _side,
    "height": _side,
    "num_inference_steps": _num_inference_steps,
    "guidance_scale": _guidance_scale,
    f"{ENVIRONMENT}PYTORCH_ENABLE_MPS_FALLBACK": _fallback,
    f"{ENVIRONMENT}PYTORCH_MPS_HIGH_WATERMARK_RATIO": _high_watermark,
    f"{ENVIRONMENT}PYTORCH_MPS_LOW_WATERMARK_RATIO": _low_watermark,
}
"""Setting name to rule, in the order in which a profile lists them."""
