"""Installed versions, from package metadata; nothing is imported."""

import re
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_NAME = re.compile(r"[A-Za-z0-9._-]+")

NAMES = (
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "safetensors",
    "huggingface-hub",
    "tokenizers",
    "numpy",
    "pillow",
)


def read() -> dict[str, str]:
    """The version of each of NAMES that is installed."""
    versions = {name: _version(name) for name in NAMES}
    return {name: version for name, version in versions.items() if version}


def requirements() -> dict[str, tuple[str, ...]]:
    """What NAMES ask of each other, by package; `diffusers[torch]` is what its extra adds.

    Both packages name what they need of torch only in that extra.
    """
    asked: dict[str, list[str]] = {}
    for name in NAMES:
        for requirement in _parsed(name):
            owner = _owner(name, requirement)
            if owner and requirement.specifier:
                text = f"{canonicalize_name(requirement.name)}{requirement.specifier}"
                asked.setdefault(owner, []).append(text)
    return {owner: tuple(texts) for owner, texts in asked.items()}


def _owner(name: str, requirement: Requirement) -> str | None:
    """Whose requirement it is, or None where it does not hold here."""
    if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
        return name
    return f"{name}[torch]" if requirement.marker.evaluate({"extra": "torch"}) else None


def _parsed(name: str) -> list[Requirement]:
    try:
        texts = metadata.requires(name) or ()
        # Parsing is slow, and some packages have hundreds of extras that do not matter here.
        return [Requirement(text) for text in texts if _required(text) in NAMES]
    except (metadata.PackageNotFoundError, InvalidRequirement, KeyError, OSError):
        return []


def _required(requirement: str) -> str:
    named = _NAME.match(requirement)
    return canonicalize_name(named.group()) if named else ""


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except (metadata.PackageNotFoundError, KeyError, OSError):  # absent, or damaged metadata
        return None
