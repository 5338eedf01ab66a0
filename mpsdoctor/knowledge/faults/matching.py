"""Which machines have which known faults of mps; the data is in faults.toml."""

from enum import Enum
from functools import cache
from typing import Literal

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from mpsdoctor.knowledge import chips, data
from mpsdoctor.knowledge.device import Device
from mpsdoctor.knowledge.faults import fault_page
from mpsdoctor.knowledge.faults.fault import Confidence, Effect, Fault, Reach
from mpsdoctor.records import Record

SLICING = "baddbmm-beta-zero-nan"
"""The fault that makes Diffusers' attention slicing give NaN."""

Unknown = Literal["torch", "macOS", "chip"]


class Faults(Record, forbid_unknown_fields=True):
    """All of faults.toml."""

    fault: tuple[Fault, ...]


class Certainty(str, Enum):
    """Whether a machine has a fault, the most certain first.

    `DOES`: a canary fails there. `MAY`: the sources have seen the fault with this PyTorch.
    `UNVERIFIED`: they have not, or a canary rules it out, or too little is known about the machine.
    """

    DOES = "does"
    MAY = "may"
    UNVERIFIED = "unverified"


class Match(Record):
    """A fault that a machine can have; `unknown` names the facts that are missing to be sure.

    `unseen` says whether a canary rules the fault out there.
    """

    fault: Fault
    certainty: Certainty
    unknown: tuple[Unknown, ...] = ()
    unseen: bool = False


@cache
def load() -> tuple[Fault, ...]:
    """The file, validated."""
    return data.read("faults.toml", Faults).fault


def page(fault: Fault) -> str:
    """One fault in Markdown, for `mpsdoctor explain`."""
    return fault_page.render(fault)


@cache
def matches(device: Device) -> tuple[Match, ...]:
    """The faults that a machine can have, the most certain and most serious first."""
    found = (_match(fault, device) for fault in load())
    return tuple(sorted((match for match in found if match), key=_rank))


def _match(fault: Fault, device: Device) -> Match | None:
    torch, macos, family = device.torch, device.macos, chips.family(device.chip)
    if not (_within(torch, fault.torch) and _within(macos, fault.macos)):
        return None
    if fault.chips and family is not None and family not in fault.chips:
        return None
    if fault.canary in device.wrong:
        return Match(fault=fault, certainty=Certainty.DOES)
    compared: dict[Unknown, tuple[object, object]] = {
        "torch": (fault.verified, torch),
        "macOS": (fault.macos, macos),
        "chip": (fault.chips, family),
    }
    unknown = tuple(name for name, (asked, known) in compared.items() if asked and known is None)
    unseen = fault.clears and fault.canary in device.right
    seen = not (unknown or unseen) and _within(torch, fault.verified)
    certainty = Certainty.MAY if seen else Certainty.UNVERIFIED
    return Match(fault=fault, certainty=certainty, unknown=unknown, unseen=unseen)


def _within(version: Version | None, versions: SpecifierSet) -> bool:
    return version is None or versions.contains(version, prereleases=True)


def _rank(match: Match) -> tuple[int, ...]:
    fault = match.fault
    return (
        list(Certainty).index(match.certainty),
        match.unseen,
        list(Reach).index(fault.reach),
        list(Effect).index(fault.effect),
        list(Confidence).index(fault.confidence),
    )
