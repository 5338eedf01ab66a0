"""MPS801 and MPS802: the profile, as it was edited by hand.

Tuned values need no check: every `mpsdoctor check` tunes them again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from mpsdoctor.checks.families import environment
from mpsdoctor.checks.report import Finding, Fix, FixKind, NoAnswerError, Remedy, Severity, Status
from mpsdoctor.facts.records import Environment, Facts, ProfileFile
from mpsdoctor.knowledge import versions
from mpsdoctor.knowledge.device import device_of
from mpsdoctor.knowledge.faults import matching
from mpsdoctor.knowledge.faults.fault import Fault
from mpsdoctor.knowledge.variables import HIGH, LOW

_VARIABLE = "environment."


@dataclass(frozen=True)
class _Harm:
    """Pinned settings with which this machine does not render, or renders wrong pictures."""

    settings: tuple[str, ...]
    expected: str
    impact: str
    severity: Severity = Severity.WARNING


def understood(facts: Facts) -> Finding | None:
    """A typo is never ignored: with one, no command that needs the profile starts."""
    profile = _profile(facts)
    if profile.problem is None:
        return None
    return Finding(
        severity=Severity.ERROR,
        observed=profile.problem,
        expected="a profile in which every setting is valid",
        impact="mpsdoctor watch, mpsdoctor render and load_profile() refuse to start, and a check "
        "does not update the profile.",
        remedy=Remedy(text=profile.hint, fix=Fix(kind=FixKind.PROFILE))
        if profile.fixable
        else Remedy(text=profile.hint),
    )


def sound(facts: Facts) -> Finding | None:
    """A value set by hand outlives every check, even if this machine cannot render with it.

    MPS607 judges the number format, together with the model.
    """
    profile = _profile(facts)
    harms = tuple(_harms(facts, profile))
    if not harms:
        _require_answers(facts, profile)
        return None
    pinned = tuple(name for harm in harms for name in harm.settings)
    values = ", ".join(f'{_key(name)} = "{profile.settings[name]}"' for name in pinned)
    return Finding(
        severity=max((harm.severity for harm in harms), key=list(Severity).index),
        observed=f"Set by hand in {profile.path}: {values}.",
        expected="; ".join(harm.expected for harm in harms),
        impact=" ".join(harm.impact for harm in harms),
        remedy=Remedy(
            text="Change it there, or remove the line: the next check writes the tuned value.",
            fix=Fix(kind=FixKind.SETTINGS, settings=pinned),
        ),
    )


def pins(facts: Facts, setting: str, value: str | None) -> bool:
    """Whether the profile sets this value by hand."""
    profile = facts.profile
    return (
        profile is not None and setting in profile.pinned and profile.settings.get(setting) == value
    )


def _profile(facts: Facts) -> ProfileFile:
    if facts.profile is None:
        raise NoAnswerError("the profile was not read", Status.NOT_RECORDED)
    return facts.profile


def _harms(facts: Facts, profile: ProfileFile) -> Iterator[_Harm]:
    if profile.settings.get("device") != "mps":
        return
    if _has_mps(facts) is False:
        if "device" in profile.pinned:
            yield _Harm(
                ("device",),
                'device = "cpu" while PyTorch has no mps device here',
                "No picture is rendered, not even slowly on the CPU.",
            )
        return
    yield from _ratios(facts, profile)
    fault = _slicing_fault(facts)
    if fault and pins(facts, "attention", "sliced"):
        yield _Harm(("attention",), 'attention = "native" or "bounded"', f"{fault.symptom}.")


def _require_answers(facts: Facts, profile: ProfileFile) -> None:
    """Raises NoAnswerError if it is not known whether a pinned value does harm."""
    if profile.settings.get("device") != "mps" or _has_mps(facts) is False:
        return
    if "device" in profile.pinned and _has_mps(facts) is None:
        raise NoAnswerError("whether PyTorch has an mps device is not known", Status.NOT_RECORDED)
    if pins(facts, "attention", "sliced") and facts.canaries is None:
        raise NoAnswerError("attention slicing was not tested", Status.NOT_RECORDED)


def _has_mps(facts: Facts) -> bool | None:
    return facts.torch.mps_available if facts.torch else None


def _slicing_fault(facts: Facts) -> Fault | None:
    """The fault that makes attention slicing give NaN, if this machine can have it."""
    torch = versions.parse(facts.torch_version)
    [fault] = [fault for fault in matching.load() if fault.id == matching.SLICING]
    shown = fault.canary in device_of(facts).wrong
    possible = torch is None or fault.torch.contains(torch, prereleases=True)
    return fault if shown or possible else None


def _ratios(facts: Facts, profile: ProfileFile) -> Iterator[_Harm]:
    """Judged as MPS307 judges the variables of a shell; a value that is not pinned is tuned."""
    values: dict[str, str | None] = {
        name: profile.settings[_VARIABLE + name]
        for name in (HIGH, LOW)
        if _VARIABLE + name in profile.settings
    }
    pinned = tuple(_VARIABLE + name for name in values if _VARIABLE + name in profile.pinned)
    found = environment.watermark(replace(facts, environment=Environment(variables=values)))
    if pinned and found:
        yield _Harm(pinned, found.expected, found.impact, found.severity)


def _key(name: str) -> str:
    return name.removeprefix(_VARIABLE)
