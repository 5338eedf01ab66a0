"""MPS310: the known faults of this PyTorch on this macOS and chip."""

from msgspec.structs import replace
from packaging.version import Version

from mpsdoctor.checks.remedies import install_torch, newer_torch
from mpsdoctor.checks.report import Finding, NoAnswerError, Remedy, Severity
from mpsdoctor.facts.records import Facts
from mpsdoctor.knowledge import versions
from mpsdoctor.knowledge.device import Device, device_of
from mpsdoctor.knowledge.faults import matching
from mpsdoctor.knowledge.faults.fault import Confidence, Effect, Reach
from mpsdoctor.knowledge.faults.fault_page import EFFECTS
from mpsdoctor.knowledge.faults.matching import Certainty, Match

_LISTED = 4
_INTRODUCTIONS = {
    Certainty.DOES: "The GPU shows",
    Certainty.MAY: "It may have",
    Certainty.UNVERIFIED: "Unverified here",
}


def known(facts: Facts) -> Finding | None:
    """Faults that a canary shows, and those that can affect still pictures without an error."""
    torch = versions.parse(facts.torch_version)
    if torch is None:
        raise NoAnswerError("the PyTorch version is not known")
    found = _relevant(facts, device_of(facts))
    if not found:
        return None
    return Finding(
        severity=Severity.WARNING if any(map(_spoils_pictures, found)) else Severity.NOTE,
        observed=_observed(facts, found),
        expected="no known fault that can affect pictures",
        impact=_impact(found),
        remedy=_remedy(facts, found),
    )


def _relevant(facts: Facts, device: Device) -> list[Match]:
    if not facts.is_mac:
        return []
    return [match for match in matching.matches(device) if _is_relevant(match)]


def _is_relevant(match: Match) -> bool:
    """An exception needs no warning beforehand: its message says enough."""
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
    missing = f" Not known about this machine: {', '.join(unknown)}." if unknown else ""
    return f"{machine}: {faults_known} can affect pictures.{''.join(groups)}{more}{missing}"


def _group(certainty: Certainty, found: list[Match]) -> str:
    names = [
        f"{match.fault.id} ({match.fault.symptom}{'; not seen here' if match.unseen else ''})"
        for match in found
        if match.certainty is certainty
    ]
    return f" {_INTRODUCTIONS[certainty]}: {'; '.join(names)}." if names else ""


def _impact(found: list[Match]) -> str:
    effects = [EFFECTS[effect] for effect in Effect if any(m.fault.effect is effect for m in found)]
    return f"Possible effects: {'; '.join(effects)}."


def _remedy(facts: Facts, found: list[Match]) -> Remedy:
    explain = f"mpsdoctor explain {found[0].fault.id}"
    text = "`mpsdoctor explain FAULT-ID` says what triggers a fault and what helps."
    newer = newer_torch(facts)
    gone, brought = _exchanged(facts, found, newer) if newer else (0, [])
    if gone <= len(brought):
        return Remedy(text=text, commands=(explain,))
    install = install_torch(facts)
    but = f", but may have {', '.join(brought)}" if brought else ""
    return Remedy(
        text=f"{text} PyTorch {newer} is free of {gone} of these{but}. {install.text}",
        commands=install.commands,
    )


def _exchanged(facts: Facts, found: list[Match], newer: Version) -> tuple[int, list[str]]:
    """How many of the faults another PyTorch lacks, and which new ones it has.

    Canaries that are right here say nothing about another PyTorch.
    """
    later = replace(device_of(facts), torch=newer, right=())
    here = {match.fault.id: match for match in found}
    there = [match.fault.id for match in _relevant(facts, later)]
    gone = [match for name, match in here.items() if name not in there and not match.unseen]
    return len(gone), [name for name in there if name not in here]
