"""Which settings a known fault of this machine asks for."""

from collections.abc import Iterator

from mpsdoctor.facts.model import CanaryStatus, Facts
from mpsdoctor.knowledge import chips, faults
from mpsdoctor.knowledge.fault import Confidence, Effect, Fault, Reach
from mpsdoctor.knowledge.faults import Certainty, Match
from mpsdoctor.knowledge.versions import parse

_WRONG = (CanaryStatus.WRONG, CanaryStatus.FAILED)


def asking_for(setting: str, facts: Facts, value: object = None) -> Fault | None:
    """The surest fault that asks for another value of a profile's setting.

    A fault of some number formats asks only where `value` is one of them.
    """
    for fault in _obeyed(facts):
        wanted = fault.settings.get(setting)
        hit = setting != "dtype" or not fault.dtypes or value in fault.dtypes
        if wanted is not None and wanted != value and hit:
            return fault
    return None


def variables(facts: Facts) -> dict[str, tuple[str, Fault]]:
    """The environment variables that faults ask for; the surest fault counts."""
    found: dict[str, tuple[str, Fault]] = {}
    for fault in _obeyed(facts):
        asked = fault.settings.get("environment")
        for name, value in (asked if isinstance(asked, dict) else {}).items():
            found.setdefault(name, (value, fault))
    return found


def slicing(facts: Facts) -> Fault | None:
    """The fault that makes attention slicing give NaN; a torch that is not known counts as hit."""
    torch, macos = parse(facts.torch_version), parse(facts.system.macos_version)
    found = (match.fault for match in faults.matches(torch, macos, facts.hardware.chip))
    return next((fault for fault in found if fault.id == faults.SLICING), None)


def failed_canaries(facts: Facts) -> list[str]:
    """Those that this machine's GPU computes wrongly, by name."""
    return [
        canary.name
        for canary in facts.canaries or ()
        if canary.device == "mps" and canary.status in _WRONG
    ]


def _obeyed(facts: Facts) -> Iterator[Fault]:
    torch, macos = parse(facts.torch_version), parse(facts.system.macos_version)
    for match in faults.matches(torch, macos, facts.hardware.chip, failed_canaries(facts)):
        if _counts(match, facts):
            yield match.fault


def _counts(match: Match, facts: Facts) -> bool:
    """What this machine shows; else what is sure to hit pictures on this chip, or ends the process.

    Settings cost time or memory, so that what only may happen is left to `mpsdoctor check` to say.
    """
    fault = match.fault
    if match.certainty is Certainty.DOES:
        return True
    sure = match.certainty is Certainty.MAY and fault.confidence is Confidence.HIGH
    of_this_chip = bool(fault.chips) and chips.family(facts.hardware.chip) in fault.chips
    wrong = fault.effect in (Effect.BLACK, Effect.CORRUPT)
    grave = fault.effect is Effect.CRASH or (wrong and of_this_chip)
    return sure and fault.reach is Reach.PICTURES and grave
