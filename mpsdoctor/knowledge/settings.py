"""Which settings of a profile the known faults of a device ask for."""

from collections.abc import Iterator

from mpsdoctor.knowledge import chips, variables
from mpsdoctor.knowledge.device import Device
from mpsdoctor.knowledge.faults import matching
from mpsdoctor.knowledge.faults.fault import Confidence, Effect, Fault, Reach
from mpsdoctor.knowledge.faults.matching import Certainty, Match


def asking_for(setting: str, device: Device, value: object = None) -> Fault | None:
    """The surest fault that asks for another value of a profile's setting.

    A fault of some number formats asks only where `value` is one of them.
    """
    for fault in _obeyed(device):
        wanted = fault.settings.get(setting)
        hit = setting != "dtype" or not fault.dtypes or value in fault.dtypes
        if wanted is not None and wanted != value and hit:
            return fault
    return None


def environment(device: Device) -> dict[str, tuple[str, Fault]]:
    """The environment variables that faults ask for; the surest fault counts."""
    found: dict[str, tuple[str, Fault]] = {}
    for fault in _obeyed(device):
        for name, value in variables_of(fault, device).items():
            found.setdefault(name, (value, fault))
    return found


def variables_of(fault: Fault, device: Device) -> dict[str, str]:
    """The environment variables that avoid one fault, those that this PyTorch reads."""
    asked = fault.settings.get("environment")
    if not isinstance(asked, dict):
        return {}
    return {name: value for name, value in asked.items() if variables.reads(device.torch, name)}


def slicing(device: Device) -> Fault | None:
    """The fault that makes attention slicing give NaN; a torch that is not known counts as hit."""
    found = (match.fault for match in matching.matches(device))
    return next((fault for fault in found if fault.id == matching.SLICING), None)


def _obeyed(device: Device) -> Iterator[Fault]:
    return (match.fault for match in matching.matches(device) if _counts(match, device))


def _counts(match: Match, device: Device) -> bool:
    """What this machine shows; else what is sure to hit pictures on this chip, or ends the process.

    Settings cost time or memory, so that what only may happen is left to `mpsdoctor check` to say.
    """
    fault = match.fault
    if match.certainty is Certainty.DOES:
        return True
    sure = match.certainty is Certainty.MAY and fault.confidence is Confidence.HIGH
    of_this_chip = bool(fault.chips) and chips.family(device.chip) in fault.chips
    wrong = fault.effect in (Effect.BLACK, Effect.CORRUPT)
    grave = fault.effect is Effect.CRASH or (wrong and of_this_chip)
    return sure and fault.reach is Reach.PICTURES and grave
