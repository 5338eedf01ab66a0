"""MPS305: whether the device computes what the CPU computes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mpsdoctor.checks.model import Finding, NoAnswerError, Remedy, Severity, Status
from mpsdoctor.checks.remedies import install_torch
from mpsdoctor.facts.model import Canary, CanaryStatus, Facts
from mpsdoctor.knowledge import faults, floors, versions

_BAD = (CanaryStatus.WRONG, CanaryStatus.FAILED)
_LOST = (CanaryStatus.CRASHED, CanaryStatus.TIMED_OUT)


@dataclass(frozen=True)
class Meaning:
    """What a canary stands for, and what its failure does to pictures.

    It is tolerable where plain text-to-image, with the settings that mpsdoctor tunes, can do
    without that arithmetic, or still shows much of what the prompt says.
    """

    arithmetic: str
    impact: str
    tolerable: bool = False


MEANINGS: dict[str, Meaning] = {
    "baddbmm-beta-zero": Meaning(
        "attention slicing",
        "Pictures come out black where attention slicing is on.",
        tolerable=True,
    ),
    "sdpa": Meaning("attention", "Pictures are black or noise, or show something else."),
    "sdpa-causal": Meaning(
        "attention in the text encoder",
        "The prompt is partly misread: pictures do not show all that it says.",
        tolerable=True,
    ),
    "sdpa-scale-cache": Meaning(
        "attention with a scale of its own",
        "Models that change the scale of their attention make distorted pictures.",
        tolerable=True,
    ),
    "linear-bias": Meaning(
        "linear layers with a bias",
        "Each step misjudges how much noise is left: pictures are noise or washed out.",
    ),
    "linear-twice-bf16": Meaning(
        "linear layers in bfloat16",
        "In bfloat16, and perhaps in float16, pictures are noise, and another noise each time.",
    ),
    "conv2d-sliced-weight": Meaning(
        "convolutions with a part of a weight",
        "Video models that take their weights apart make noise.",
        tolerable=True,
    ),
    "conv3d": Meaning(
        "convolutions over time",
        "Video models, and picture models with a video decoder, make noise.",
    ),
    "conv-chunk": Meaning(
        "convolutions of several pictures at once",
        "When several pictures are made at once, only the first one is right.",
        tolerable=True,
    ),
    "copy-non-blocking": Meaning(
        "copies to the GPU that nobody waits for",
        "Now and then a picture is black or noise in software that makes such copies.",
        tolerable=True,
    ),
    "slice-assignment": Meaning(
        "assignments to a part of a tensor",
        "Some models make distorted pictures or misread the prompt.",
        tolerable=True,
    ),
    "cpu-scalar-offset": Meaning(
        "numbers from a table on the CPU",
        "With some schedulers pictures are noise or washed out.",
        tolerable=True,
    ),
    "argmax": Meaning(
        "the search for the largest number",
        "The end of the prompt is not found: pictures do not show what it says.",
    ),
    "cumsum": Meaning(
        "running sums",
        "Some text encoders misread the prompt.",
        tolerable=True,
    ),
    "layer-norm-float16": Meaning(
        "normalisation in float16", "In float16, pictures are noise or black."
    ),
    "int64": Meaning("whole numbers", "The prompt or the steps are misread: pictures are noise."),
    "float64-refusal": Meaning(
        "float64, which this GPU does not have",
        "Where a model asks for float64, its pictures are distorted instead of refused, or what it "
        "copies is lost.",
        tolerable=True,
    ),
}


def arithmetic(facts: Facts) -> Finding | None:
    """Every canary must come back, and as the CPU has it, up to rounding."""
    canaries = facts.canaries or ()
    bad = [canary for canary in canaries if canary.status in _BAD]
    is_error = any(not _meaning(canary).tolerable for canary in bad)
    if not is_error:
        _require_answers(facts, canaries, bad)
    if not bad:
        return None
    return Finding(
        severity=Severity.ERROR if is_error else Severity.WARNING,
        observed=f"{_device(bad[0])} gets {len(bad)} of {len(canaries)} sample computations wrong: "
        f"{_listed(bad)}.",
        expected="the same results as on the CPU, up to rounding",
        impact=" ".join(dict.fromkeys(_meaning(canary).impact for canary in bad)),
        remedy=_remedy(facts, bad, is_error),
    )


def _require_answers(facts: Facts, canaries: Sequence[Canary], bad: Sequence[Canary]) -> None:
    """Silence never passes for ok. Raises NoAnswerError, which tells what was wrong besides."""
    if facts.canaries is None:
        raise NoAnswerError("the arithmetic was not tried out", Status.NOT_TOLD)
    if not canaries:
        raise NoAnswerError(
            "PyTorch answered, but ended before the first computation", Status.CRASHED
        )
    also = f"; wrong besides: {_listed(bad)}" if bad else ""
    for canary in canaries:
        if canary.status in _LOST:
            crashed = canary.status is CanaryStatus.CRASHED
            reason = f"{_meaning(canary).arithmetic} ({canary.name}) {canary.status.value}"
            detail = f": {canary.detail}" if canary.detail else ""
            status = Status.CRASHED if crashed else Status.TIMED_OUT
            raise NoAnswerError(f"{reason}{detail}{also}", status)
    if all(canary.status is CanaryStatus.SKIPPED for canary in canaries):
        raise NoAnswerError("this PyTorch can run none of the sample computations")
    mps_available = facts.torch is not None and facts.torch.mps_available
    if mps_available and all(canary.device == "cpu" for canary in canaries):
        raise NoAnswerError("the arithmetic was tried out on the CPU only")


def _remedy(facts: Facts, bad: Sequence[Canary], is_error: bool) -> Remedy:
    names = {canary.name for canary in bad}
    advice = [fault.remedy for fault in faults.load() if fault.canary in names]
    if is_error:
        advice.append("Until it is right, set device to cpu: slow, but right.")
    if not _has_newer_torch(facts):
        return Remedy(text=" ".join(advice) or "No remedy is known.")
    install = install_torch(facts)
    return Remedy(text=" ".join([*advice, install.text]), commands=install.commands)


def _has_newer_torch(facts: Facts) -> bool:
    macos = versions.parse(facts.system.macos_version)
    python = versions.parse(facts.python.version)
    torch = versions.parse(facts.torch_version)
    if macos is None or python is None or torch is None:
        return False
    newest = floors.newest_torch_for(macos, python)
    return newest is not None and newest > torch


def _listed(canaries: Iterable[Canary]) -> str:
    return ", ".join(
        f"{_meaning(canary).arithmetic} ({canary.name}: {_how_wrong(canary)})"
        for canary in canaries
    )


def _how_wrong(canary: Canary) -> str:
    if canary.status is CanaryStatus.FAILED:
        return canary.detail or "stopped"
    if canary.error is None or canary.error == "nan":
        return "not a number"
    if not canary.tolerance:
        return "must be exact and is not"
    return f"off by {canary.error:.2g}, allowed {canary.tolerance:.2g}"


def _meaning(canary: Canary) -> Meaning:
    return MEANINGS.get(canary.name) or Meaning(canary.name, "Pictures may be wrong.")


def _device(canary: Canary) -> str:
    return "The CPU" if canary.device == "cpu" else "The GPU"
