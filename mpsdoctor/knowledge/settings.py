"""Which settings of a profile the known faults of a device require."""

from collections.abc import Iterator

from mpsdoctor.knowledge import chips, variables
from mpsdoctor.knowledge.device import Device
from mpsdoctor.knowledge.faults import matching
from mpsdoctor.knowledge.faults.fault import Confidence, Effect, Fault, Reach
from mpsdoctor.knowledge.faults.matching import Certainty, Match


def asking_for(setting: str, device: Device, value: object = None) -> Fault | None:
    """The most certain fault that requires another value of a profile's setting.

    A fault of certain number formats counts only if `value` is one of them.
    """
    for fault in _obeyed(device):
        wanted = fault.settings.get(setting)
        hit = setting != "dtype" or not fault.dtypes or value in fault.dtypes
        if wanted is not None and wanted != value and hit:
            return fault
    return None


def environment(device: Device) -> dict[str, tuple[str, Fault]]:
    """The environment variables that faults require; the most certain fault decides."""
    found: dict[str, tuple[str, Fault]] = {}
    for fault in _obeyed(device):
        for name, value in variables_of(fault, device).items():
            found.setdefault(name, (value, fault))
    return found


def variables_of(fault: Fault, device: Device) -> dict[str, str]:
    """The environment variables that avoid one fault, as far as this PyTorch reads them."""
    asked = fault.settings.get("environment")
    if not isinstance(asked, dict):
        return {}
    return {name: value for name, value in asked.items() if variables.reads(device.torch, name)}


def slicing(device: Device) -> Fault | None:
    """The fault that makes attention slicing give NaN; an unknown torch is assumed to have it."""
    found = (match.fault for match in matching.matches(device))
    return next((fault for fault in found if fault.id == matching.SLICING), None)


def _obeyed(device: Device) -> Iterator[Fault]:
    return (match.fault for match in matching.matches(device) if _counts(match, device))


def _counts(match: Match, device: Device) -> bool:
    """Whether a fault justifies a setting, which costs time or memory.

    It does if this machine shows the fault. Otherwise it must be well confirmed, affect ordinary
    pictures, and either end the process or give wrong pictures on this chip in particular.
    """
    fault = match.fault
    if match.certainty is Certainty.DOES:
        return True
    sure = match.certainty is Certainty.MAY and fault.confidence is Confidence.HIGH
    of_this_chip = bool(fault.chips) and chips.family(device.chip) in fault.chips
    wrong = fault.effect in (Effect.BLACK, Effect.CORRUPT)
    grave = fault.effect is Effect.CRASH or (wrong and of_this_chip)
    return sure and fault.reach is Reach.PICTURES and grave
