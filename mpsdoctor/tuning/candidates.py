"""What the rules leave open: settings of which only a measurement says which is the fastest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mpsdoctor.facts.measurement import Measurement
from mpsdoctor.facts.records import Facts
from mpsdoctor.knowledge import dtypes, rendering, settings
from mpsdoctor.knowledge.device import device_of
from mpsdoctor.profile.choice import MEASURED_WITH, Choice, Choices, Value
from mpsdoctor.tuning.needs import Needs
from mpsdoctor.units import MIB

_BUDGETS = (256, 1024)
_SWAPPED = 64 * MIB
"""Bytes that other programs may have written to swap meanwhile."""


MEASURED = "measured"
"""The rule of what was measured."""


@dataclass(frozen=True)
class Candidate:
    """A few settings in the place of tuned ones."""

    settings: tuple[tuple[str, Value], ...]

    def __str__(self) -> str:
        """As a person reads it: `bounded, 512 MiB, float16`."""
        values = dict(self.settings)
        budget = f", {values['attention_budget']} MiB" if values["attention_budget"] else ""
        return f"{values['attention']} attention{budget}, {values['dtype']}"


def candidates(choices: Choices, facts: Facts, needs: Needs) -> list[Candidate]:
    """What was tuned first, then each other attention and number format that is right here."""
    tuned = {name: choices[name].value for name in ("attention", "attention_budget", "dtype")}
    found = [Candidate(tuple(tuned.items()))]
    for changes in _changes(choices, facts, needs):
        candidate = Candidate(tuple((tuned | changes).items()))
        if candidate not in found:
            found.append(candidate)
    return found


def fastest(measured: dict[Candidate, Measurement]) -> Candidate | None:
    """Of those that gave a picture and did not swap."""
    right = [
        candidate
        for candidate, result in measured.items()
        if not result.problem and result.step_seconds and result.swapped_bytes <= _SWAPPED
    ]
    return min(right, key=lambda candidate: measured[candidate].seconds, default=None)


def memory_was_short(measured: dict[Candidate, Measurement]) -> bool:
    """Whether any of them failed, or does not count, for want of memory."""
    return any(
        result.short_of_memory or result.swapped_bytes > _SWAPPED for result in measured.values()
    )


def with_measured(
    choices: Choices, chosen: Candidate, measured: dict[Candidate, Measurement], made_with: str
) -> Choices:
    """The choices, those of the candidate with the figures as their reason."""
    figures = "; ".join(
        f"{candidate}: {result.problem or f'{result.seconds:.3g} s a step'}"
        for candidate, result in measured.items()
    )
    reason = f"{_measured_with(made_with)}. It was the fastest on this machine. {figures}."
    return {
        **choices,
        **{
            name: Choice(value, reason, MEASURED, facts=(made_with,))
            for name, value in chosen.settings
        },
    }


def kept(
    choices: Choices, tuned: Mapping[str, Value], reasons: Mapping[str, str], made_with: str
) -> Choices:
    """The choices, with what an earlier profile says that was measured with the same releases.

    Not where another device is to render now, or a fault asks for another number format.
    """
    changed = {name for name in ("device", "dtype") if tuned.get(name) != choices[name].value}
    if "device" in changed or ("dtype" in changed and choices["dtype"].rule.startswith("fault ")):
        return choices
    here = _measured_with(made_with)
    measured = {
        name: Choice(tuned[name], f"{here}.", MEASURED, facts=(made_with,))
        for name, reason in reasons.items()
        if name in tuned and name in choices and reason == here
    }
    return {**choices, **measured}


def made_with(facts: Facts) -> str:
    """What a measurement holds for: other releases can make another candidate the fastest."""
    versions = facts.packages or {}
    names = ("torch", "diffusers")
    return ", ".join(f"{name} {versions[name]}" for name in names if name in versions)


def _measured_with(made_with: str) -> str:
    """The short reason, by which a later check knows what was measured with the same releases."""
    return f"{MEASURED_WITH}{made_with}"


def _changes(choices: Choices, facts: Facts, needs: Needs) -> Iterator[dict[str, Value]]:
    yield {"attention": "native", "attention_budget": None}
    for budget in _BUDGETS:
        yield {"attention": "bounded", "attention_budget": budget}
    for dtype in _dtypes(facts, needs):
        if choices["device"].value == "mps":
            yield {"dtype": dtype}


def _dtypes(facts: Facts, needs: Needs) -> Iterator[str]:
    device = device_of(facts)
    family = dtypes.family(needs.model, needs.pipeline)
    formats = ("float16", "bfloat16")
    for dtype in formats if dtypes.has_bfloat16(device.torch, device.macos) else formats[:1]:
        wrong = settings.asking_for("dtype", device, dtype) or rendering.affected(
            device, dtype, needs.model, needs.pipeline
        )
        if dtypes.is_known_to_work(family, dtype) and not wrong:
            yield dtype
