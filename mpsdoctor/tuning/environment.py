"""The environment variables that torch reads."""

from math import floor

from mpsdoctor.profile.choice import Choice
from mpsdoctor.tuning.rule_input import RuleInput
from mpsdoctor.tuning.sources import TORCH_DOCS

_MOST_OF_RAM = 0.84
"""The largest share of RAM that macOS itself allows a GPU (antirez/ds4 #893)."""

_LOW = 0.8
"""Of the high ratio; torch's own are 1.4 and 1.7, nearly the same."""


def fallback(given: RuleInput) -> Choice:
    """Whether the CPU runs operations that mps lacks."""
    reason = "An operation that mps lacks runs on the CPU. torch warns of it instead of failing."
    return _variable("1", given, reason, "fallback", TORCH_DOCS)


def high_watermark(given: RuleInput) -> Choice:
    """How much torch may allocate, as a ratio of what Metal recommends."""
    ratio = _high(given)
    reason = (
        "Keeps torch within what Metal recommends. Its own limit is 1.7 times that, more than "
        "this Mac's memory; swapping turns seconds into minutes."
    )
    if ratio < 1:
        reason += " Here Metal recommends nearly all of it, because the wired limit was raised."
    return _variable(str(ratio), given, reason, "watermark", TORCH_DOCS, "pytorch #105839")


def low_watermark(given: RuleInput) -> Choice:
    """The ratio above which torch frees its cached memory."""
    reason = "Must not exceed the high ratio. Otherwise, torch raises an error. Its default is 1.4."
    low = floor(_high(given) * _LOW * 100) / 100
    return _variable(str(low), given, reason, "watermark", TORCH_DOCS, "pytorch #96814")


def prefer_metal(given: RuleInput) -> Choice:
    """Metal's matrix products instead of MPSGraph's."""
    return _asked("PYTORCH_MPS_PREFER_METAL", given)


def metal_version(given: RuleInput) -> Choice:
    """Which Metal language torch compiles for."""
    return _asked("PYTORCH_MPS_METAL_VERSION", given)


def _high(given: RuleInput) -> float:
    """At most 1, and never more than macOS would allow by itself."""
    ram, limit = given.ram_bytes, given.gpu_limit_bytes
    if not ram or not limit:
        return 1.0
    return min(1.0, floor(ram * _MOST_OF_RAM / limit * 100) / 100)


def _asked(name: str, given: RuleInput) -> Choice:
    found = given.variables.get(name) if given.on_mps else None
    if found is None:
        return Choice(None, "No known fault of this machine requires it.", "fault")
    value, fault = found
    reason = f"Avoids the fault {fault.id}. {fault.symptom}."
    return Choice(value, reason, f"fault {fault.id}", fault.sources)


def _variable(value: str, given: RuleInput, reason: str, rule: str, *sources: str) -> Choice:
    if given.on_mps:
        return Choice(value, reason, rule, sources)
    return Choice(None, "Only read if there is an mps device.", rule, sources)
