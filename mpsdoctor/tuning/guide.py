"""What Diffusers' page on mps recommends, without anything else that is known."""

from packaging.version import Version

from mpsdoctor.facts.records import Facts
from mpsdoctor.knowledge import floors
from mpsdoctor.knowledge.versions import parse
from mpsdoctor.profile.choice import Choice, Choices
from mpsdoctor.tuning.needs import Needs
from mpsdoctor.tuning.sources import GUIDE
from mpsdoctor.units import GIB

_GUIDE_SIDE = 512


def guide(facts: Facts, needs: Needs) -> Choices:
    """The settings that the page mentions."""
    return {
        "model": _choice(needs.model, "The same model."),
        "device": _choice("mps", 'pipe = pipe.to("mps")'),
        "attention": _attention(facts, needs),
        "prime": _prime(facts),
        "one_prompt_at_a_time": _choice(True, "Iterate instead of batching: a batch can crash."),
    }


def _attention(facts: Facts, needs: Needs) -> Choice:
    ram = (facts.hardware.ram_bytes or 0) / GIB
    recommended = floors.load().guide.ram_gib_recommended
    if ram < recommended:
        return _choice("sliced", f"This Mac has less than {recommended} GiB of memory.")
    if (needs.side or 0) > _GUIDE_SIDE:
        return _choice("sliced", "The pictures exceed 512×512.")
    return _choice("native", f"{recommended} GiB of memory, and pictures of 512×512.")


def _prime(facts: Facts) -> Choice:
    torch = parse(facts.torch_version)
    primes = torch is not None and torch < Version("2.0")
    return _choice(primes, "On torch 1.13 a first pass must be discarded.")


def _choice(value: str | bool, reason: str) -> Choice:
    return Choice(value, reason, "guide", (GUIDE,))
