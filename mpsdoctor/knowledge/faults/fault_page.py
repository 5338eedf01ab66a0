"""The description of a fault, as Markdown."""

import json
from collections.abc import Iterator
from typing import Final

from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import Version

from mpsdoctor.knowledge import chips
from mpsdoctor.knowledge.faults.fault import Effect, Fault, Reach, Setting
from mpsdoctor.knowledge.sources import address

EFFECTS: Final = {
    Effect.BLACK: "black pictures",
    Effect.CORRUPT: "wrong pictures or numbers, without an error",
    Effect.CRASH: "the process aborts",
    Effect.ERROR: "an error",
    Effect.MEMORY: "growing memory",
    Effect.SLOW: "lost time",
}
REACHES: Final = {
    Reach.PICTURES: "still pictures at ordinary sizes",
    Reach.LARGE: "large still pictures",
    Reach.OPTIONS: "some models, options and calls",
    Reach.VIDEO: "video models",
    Reach.CODE: "unusual shapes, training and other programs",
}
_OPERATORS: Final = {">=": "from {}", "<": "before {}", "<=": "up to {}", "==": "{}"}


def render(fault: Fault, *, level: int = 1) -> str:
    """Everything that is known about the fault, under a heading of `level`."""
    return "\n\n".join(
        (
            f"{'#' * level} {fault.id}",
            f"{fault.symptom}.",
            f"When: {fault.trigger}",
            f"What helps: {fault.remedy}",
            *_settings(fault),
            "\n".join(f"- {name}: {value}" for name, value in _details(fault)) + "\n",
        )
    )


def _settings(fault: Fault) -> Iterator[str]:
    lines = [f"{name} = {_toml(value)}" for name, value in fault.settings.items()]
    if lines:
        yield "\n".join(("In a profile:\n", "```toml", *lines, "```"))


def _toml(value: Setting) -> str:
    """As in a profile; JSON writes strings and booleans as TOML does."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {json.dumps(text)}" for key, text in value.items()) + " }"
    return json.dumps(value)


def _details(fault: Fault) -> Iterator[tuple[str, str]]:
    yield "effect", EFFECTS[fault.effect]
    yield "reaches", REACHES[fault.reach]
    yield "PyTorch", _range(fault.torch)
    yield "verified", "all of these" if fault.verified == fault.torch else _range(fault.verified)
    yield "macOS", _range(fault.macos)
    yield "chips", ", ".join(name for row in fault.chips for name in chips.names(row)) or "any"
    yield "number formats", ", ".join(fault.dtypes) or "any"
    yield "fixed in", fault.fixed_in or "no release yet"
    if fault.canary:
        yield (
            "canary",
            fault.canary + ("; if it is right, the fault is absent" if fault.clears else ""),
        )
    yield "confidence", fault.confidence.value
    yield "sources", ", ".join(map(_source, fault.sources))


def _range(versions: SpecifierSet) -> str:
    ascending = sorted(versions, key=lambda part: Version(part.version.removesuffix(".*")))
    return ", ".join(map(_limit, ascending)) or "any"


def _limit(part: Specifier) -> str:
    return _OPERATORS.get(part.operator, f"{part.operator} {{}}").format(part.version)


def _source(source: str) -> str:
    """The source, as a link if it has an address."""
    link = address(source)
    return f"[{source}]({link})" if link else source
