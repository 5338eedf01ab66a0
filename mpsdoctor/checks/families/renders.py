"""How the profile renders if the GPU computes incorrectly, for MPS305 and MPS312."""

from collections.abc import Collection

from mpsdoctor.checks.families.profile import pins
from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.facts.records import Facts
from mpsdoctor.knowledge import rendering, settings
from mpsdoctor.knowledge.canaries import meaning_of
from mpsdoctor.knowledge.device import device_of
from mpsdoctor.knowledge.rendering import PICTURE


def affected(facts: Facts) -> tuple[str, ...]:
    """What the GPU gets wrong and the profile's model needs: canaries, by name, or PICTURE.

    No tuned setting avoids it, or a number format that was set by hand causes it.
    """
    tuned, by_hand = _tuned(facts), _affected_by_hand(facts)
    return tuple(dict.fromkeys((*tuned.wrong, *by_hand)))


def is_needed(facts: Facts, name: str) -> bool:
    """Whether the profile's model needs the arithmetic of a canary."""
    return not meaning_of(name).is_tolerable(*_model(facts))


def avoided_by(facts: Facts, wrong: Collection[str]) -> tuple[str, ...]:
    """Sentences that say how the tuned profile avoids it; none if there is nothing to do."""
    tuned = _tuned(facts)
    if tuned.wrong:
        return (
            "Until this is fixed, the tuned profile renders on the CPU: slow, but right.",
            *_taken_back(facts, "device", "mps"),
        )
    if not any(name == PICTURE or is_needed(facts, name) for name in wrong):
        return ()
    ways = [f"renders in {tuned.dtype}", *_variables(facts, wrong)]
    by_hand = _taken_back(facts, "dtype", _dtype_by_hand(facts)) if _affected_by_hand(facts) else ()
    return (f"The tuned profile avoids this: it {' and '.join(ways)}.", *by_hand)


def _tuned(facts: Facts) -> rendering.Rendering:
    return rendering.choose(device_of(facts), *_model(facts))


def _model(facts: Facts) -> tuple[str, str | None]:
    files = facts.model_files
    return (files.model, files.pipeline) if files else (EMBEDDED_MODEL, None)


def _dtype_by_hand(facts: Facts) -> str | None:
    dtype = facts.profile.settings.get("dtype") if facts.profile else None
    return dtype if pins(facts, "dtype", dtype) else None


def _affected_by_hand(facts: Facts) -> tuple[str, ...]:
    dtype = _dtype_by_hand(facts)
    return rendering.affected(device_of(facts), dtype, *_model(facts)) if dtype else ()


def _taken_back(facts: Facts, setting: str, value: str | None) -> tuple[str, ...]:
    if facts.profile is None or not pins(facts, setting, value):
        return ()
    return (f'But {setting} = "{value}" is set by hand in {facts.profile.path}: remove it.',)


def _variables(facts: Facts, wrong: Collection[str]) -> list[str]:
    device = device_of(facts)
    return [
        f"sets {name}={value}"
        for fault in rendering.shown_by(wrong, device)
        for name, value in settings.variables_of(fault, device).items()
    ]
