"""What the rules leave open: only a measurement says which of these settings is the fastest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mpsdoctor.facts.records import Facts
from mpsdoctor.knowledge import dtypes, rendering, settings
from mpsdoctor.knowledge.device import device_of
from mpsdoctor.profile.choice import MEASURED_WITH, Choice, Choices, Value
from mpsdoctor.tuning.needs import Needs

_BUDGETS = (256, 1024)

MEASURABLE = ("attention", "attention_budget", "dtype")
"""The settings in which candidates differ."""

MEASURED = "measured"
"""The rule of values that were measured to be faster than what the rules choose."""

NO_DIFFERENCE = "measured: no difference"
"""The rule of values that stay because nothing else was measured to be faster."""

_NO_DIFFERENCE = ", no difference"
"""Ends the short reason of such a value."""


@dataclass(frozen=True)
class Candidate:
    """A few settings in place of tuned ones."""

    settings: tuple[tuple[str, Value], ...]

    def __str__(self) -> str:
        """As a person reads it: `bounded, 512 MiB, float16`."""
        values = dict(self.settings)
        budget = f", {values['attention_budget']} MiB" if values["attention_budget"] else ""
        return f"{values['attention']} attention{budget}, {values['dtype']}"


def candidates(choices: Choices, facts: Facts, needs: Needs) -> list[Candidate]:
    """The tuned settings, then each other attention and number format that is right here."""
    found = [current(choices)]
    for changes in _changes(choices, facts, needs):
        candidate = Candidate(tuple((dict(found[0].settings) | changes).items()))
        if candidate not in found:
            found.append(candidate)
    return found


def current(choices: Choices) -> Candidate:
    """The choices as a candidate."""
    return Candidate(tuple((name, choices[name].value) for name in MEASURABLE))


def with_measured(choices: Choices, chosen: Candidate, figures: str, made_with: str) -> Choices:
    """The choices, with the settings of the candidate that was shown to be faster."""
    reason = f"{_measured_with(made_with)}. {figures}"
    return {
        **choices,
        **{
            name: Choice(value, reason, MEASURED, facts=(made_with,))
            for name, value in chosen.settings
        },
    }


def with_no_difference(choices: Choices, figures: str, made_with: str) -> Choices:
    """The choices as they are; the reasons say that nothing else was shown to be faster."""
    reason = f"{_measured_with(made_with)}{_NO_DIFFERENCE}. {figures}"
    return {
        **choices,
        **{
            name: Choice(choices[name].value, reason, NO_DIFFERENCE, facts=(made_with,))
            for name in MEASURABLE
            if choices[name].rule != MEASURED
        },
    }


def kept(
    choices: Choices, tuned: Mapping[str, Value], reasons: Mapping[str, str], made_with: str
) -> Choices:
    """The choices, with the values that an earlier profile measured with the same releases.

    Measured values do not count if the device has changed, or a fault requires another number
    format. If no difference was found, but the rules choose other values now, those count.
    """
    changed = {name for name in ("device", "dtype") if tuned.get(name) != choices[name].value}
    if "device" in changed or ("dtype" in changed and choices["dtype"].rule.startswith("fault ")):
        return choices
    faster = _recorded(MEASURED, _measured_with(made_with), tuned, reasons, made_with)
    title = _measured_with(made_with) + _NO_DIFFERENCE
    equal = _recorded(NO_DIFFERENCE, title, tuned, reasons, made_with)
    if any(name not in choices or choices[name].value != one.value for name, one in equal.items()):
        equal = {}
    return {**choices, **equal, **{name: one for name, one in faster.items() if name in choices}}


def _recorded(
    rule: str,
    title: str,
    tuned: Mapping[str, Value],
    reasons: Mapping[str, str],
    made_with: str,
) -> dict[str, Choice]:
    return {
        name: Choice(tuned[name], f"{title}.", rule, facts=(made_with,))
        for name, reason in reasons.items()
        if name in tuned and reason == title
    }


def made_with(facts: Facts) -> str:
    """The releases of a measurement: with others, another candidate can be the fastest."""
    versions = facts.packages or {}
    names = ("torch", "diffusers")
    return ", ".join(f"{name} {versions[name]}" for name in names if name in versions)


def _measured_with(made_with: str) -> str:
    """The short reason, from which a later check knows what was measured with which releases."""
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
