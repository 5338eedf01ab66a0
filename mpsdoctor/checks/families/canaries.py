"""MPS305: whether the device computes what the CPU computes."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from mpsdoctor.checks.families import renders
from mpsdoctor.checks.remedies import install_torch, newer_torch
from mpsdoctor.checks.report import Finding, NoAnswerError, Remedy, Severity, Status
from mpsdoctor.facts.records import Canary, CanaryStatus, Facts
from mpsdoctor.knowledge.canaries import meaning_of
from mpsdoctor.knowledge.device import device_of
from mpsdoctor.knowledge.rendering import shown_by
from mpsdoctor.knowledge.tolerances import judged_canaries

_BAD = (CanaryStatus.WRONG, CanaryStatus.FAILED)
_LOST = (CanaryStatus.CRASHED, CanaryStatus.TIMED_OUT)


def arithmetic(facts: Facts) -> Finding | None:
    """Every canary must have a result, the same as the CPU's up to rounding.

    A wrong one is an error if pictures need it, unless the tuned profile avoids it.
    """
    canaries = judged_canaries(facts) or ()
    bad = [canary for canary in canaries if canary.status in _BAD]
    is_error = any(_is_grave(facts, canary) for canary in bad)
    if not is_error:
        _require_answers(facts, canaries, bad)
    if not bad:
        return None
    return Finding(
        severity=Severity.ERROR if is_error else Severity.WARNING,
        observed=f"{_device(bad[0])} gets {len(bad)} of {len(canaries)} test computations wrong: "
        f"{_listed(bad)}.",
        expected="the same results as on the CPU, up to rounding",
        impact=" ".join(dict.fromkeys(meaning_of(canary.name).impact for canary in bad)),
        remedy=_remedy(facts, bad),
    )


def _is_grave(facts: Facts, canary: Canary) -> bool:
    """No setting avoids what the CPU gets wrong."""
    if canary.device == "cpu":
        return renders.is_needed(facts, canary.name)
    return canary.name in renders.affected(facts)


def _require_answers(facts: Facts, canaries: Sequence[Canary], bad: Sequence[Canary]) -> None:
    """Silence never passes for ok. Raises NoAnswerError, which also names wrong results."""
    if facts.canaries is None:
        raise NoAnswerError("the arithmetic was not tested", Status.NOT_RECORDED)
    if not canaries:
        raise NoAnswerError(
            "PyTorch answered, but ended before the first computation", Status.CRASHED
        )
    also = f"; also wrong: {_listed(bad)}" if bad else ""
    for canary in canaries:
        if canary.status in _LOST:
            crashed = canary.status is CanaryStatus.CRASHED
            reason = f"{meaning_of(canary.name).arithmetic} ({canary.name}) {canary.status.value}"
            detail = f": {canary.detail}" if canary.detail else ""
            status = Status.CRASHED if crashed else Status.TIMED_OUT
            raise NoAnswerError(f"{reason}{detail}{also}", status)
    if all(canary.status is CanaryStatus.SKIPPED for canary in canaries):
        raise NoAnswerError("this PyTorch can run none of the test computations")
    mps_available = facts.torch is not None and facts.torch.mps_available
    if mps_available and all(canary.device == "cpu" for canary in canaries):
        raise NoAnswerError("the arithmetic was tested on the CPU only")


def _remedy(facts: Facts, bad: Sequence[Canary]) -> Remedy:
    """What helps against the faults that these show, and a PyTorch without known ones."""
    names = {canary.name for canary in bad if canary.device == "mps"}
    advice = [fault.remedy for fault in shown_by(names, device_of(facts))]
    advice += renders.avoided_by(facts, names)
    newer = newer_torch(facts)
    if newer is None or shown_by(names, replace(device_of(facts), torch=newer)):
        return Remedy(text=" ".join(advice) or "No remedy is known.")
    install = install_torch(facts)
    return Remedy(text=" ".join([*advice, install.text]), commands=install.commands)


def _listed(canaries: Iterable[Canary]) -> str:
    return ", ".join(
        f"{meaning_of(canary.name).arithmetic} ({canary.name}: {_how_wrong(canary)})"
        for canary in canaries
    )


def _how_wrong(canary: Canary) -> str:
    if canary.status is CanaryStatus.FAILED:
        return canary.detail or "stopped"
    if canary.error is None or canary.error == "nan":
        return "not a number"
    if not canary.tolerance:
        return "must be exact, but is not"
    return f"off by {canary.error:.2g}, allowed {canary.tolerance:.2g}"


def _device(canary: Canary) -> str:
    return "The CPU" if canary.device == "cpu" else "The GPU"
