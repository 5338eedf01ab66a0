"""Installed versions, from package metadata; nothing is imported."""

from importlib import metadata

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


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except (metadata.PackageNotFoundError, KeyError, OSError):  # absent, or damaged metadata
        return None
