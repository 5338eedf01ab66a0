"""MPS310: what is known to go wrong with this PyTorch on this macOS and chip."""

from mpsdoctor.checks.model import Finding, NoAnswerError, Remedy, Severity
from mpsdoctor.checks.remedies import install_torch
from mpsdoctor.facts.model import CanaryStatus, Facts
from mpsdoctor.knowledge import faults, floors, versions
from mpsdoctor.knowledge.fault import Confidence, Effect, Reach
from mpsdoctor.knowledge.fault_page import EFFECTS
from mpsdoctor.knowledge.faults import Certainty, Match

_LISTED = 4
_FAILED = (CanaryStatus.WRONG, CanaryStatus.FAILED)
_INTRODUCTIONS = {
    Certainty.DOES: "The GPU shows",
    Certainty.MAY: "It may have",
    Certainty.UNVERIFIED: "Unverified here",
}


def known(facts: Facts) -> Finding | None:
    """Faults that a canary shows, and those that can reach still pictures without an error."""
    torch = versions.parse(facts.torch_version)
    if torch is None:
        raise NoAnswerError("the PyTorch version is not known")
    found = _relevant(facts, facts.torch_version)
    if not found:
        return None
    return Finding(
        severity=Severity.WARNING if any(map(_spoils_pictures, found)) else Severity.NOTE,
        observed=_observed(facts, found),
        expected="no known fault that can reach pictures",
        impact=_impact(found),
        remedy=_remedy(facts, found),
    )


def _relevant(facts: Facts, torch_version: str | None) -> list[Match]:
    if not facts.is_mac:
        return []
    torch = versions.parse(torch_version)
    macos = versions.parse(facts.system.macos_version)
    failed = _failed_canaries(facts)
    found = faults.matches(torch, macos, facts.hardware.chip, failed)
    return [match for match in found if _is_relevant(match)]


def _failed_canaries(facts: Facts) -> set[str]:
    return {
        canary.name
        for canary in facts.canaries or ()
        if canary.device == "mps" and canary.status in _FAILED
    }


def _is_relevant(match: Match) -> bool:
    """An exception needs no warning beforehand: it speaks for itself."""
    if match.certainty is Certainty.DOES:
        return True
    reaches = match.fault.reach in (Reach.PICTURES, Reach.LARGE)
    return reaches and match.fault.effect is not Effect.ERROR


def _spoils_pictures(match: Match) -> bool:
    """Whether good sources say that ordinary pictures come out black or wrong."""
    fault = match.fault
    if fault.effect not in (Effect.BLACK, Effect.CORRUPT):
        return False
    if match.certainty is Certainty.DOES:
        return True
    confident = match.certainty is Certainty.MAY and fault.confidence is Confidence.HIGH
    return confident and fault.reach is Reach.PICTURES


def _observed(facts: Facts, found: list[Match]) -> str:
    macos = facts.system.macos_version
    machine = f"PyTorch {facts.torch_version}" + (f" on macOS {macos}" if macos else "")
    faults_known = "1 known fault" if len(found) == 1 else f"{len(found)} known faults"
    groups = (_group(certainty, found[:_LISTED]) for certainty in Certainty)
    more = f" And {len(found) - _LISTED} more." if len(found) > _LISTED else ""
    unknown = dict.fromkeys(name for match in found for name in match.unknown)
    missing = f" Not known of this machine: {', '.join(unknown)}." if unknown else ""
    return f"{machine}: {faults_known} can reach pictures.{''.join(groups)}{more}{missing}"


def _group(certainty: Certainty, found: list[Match]) -> str:
    names = [
        f"{match.fault.id} ({match.fault.symptom})"
        for match in found
        if match.certainty is certainty
    ]
    return f" {_INTRODUCTIONS[certainty]}: {'; '.join(names)}." if names else ""


def _impact(found: list[Match]) -> str:
    effects = [EFFECTS[effect] for effect in Effect if any(m.fault.effect is effect for m in found)]
    return f"Possible are {'; '.join(effects)}."


def _remedy(facts: Facts, found: list[Match]) -> Remedy:
    explain = f"mpsdoctor explain {found[0].fault.id}"
    text = "`mpsdoctor explain FAULT-ID` says when a fault strikes and what helps."
    newer, gone = _free_of(facts, found)
    if not gone:
        return Remedy(text=text, commands=(explain,))
    install = install_torch(facts)
    return Remedy(
        text=f"{text} PyTorch {newer} is free of {gone} of these. {install.text}",
        commands=install.commands,
    )


def _free_of(facts: Facts, found: list[Match]) -> tuple[str, int]:
    """The newest PyTorch for this Mac, and how many of the faults it does not have."""
    torch = versions.parse(facts.torch_version)
    macos = versions.parse(facts.system.macos_version)
    python = versions.parse(facts.python.version)
    newest = floors.newest_torch_for(macos, python) if macos and python else None
    if newest is None or torch is None or newest <= torch:
        return "", 0
    left = {match.fault.id for match in _relevant(facts, str(newest))}
    return str(newest), sum(match.fault.id not in left for match in found)
