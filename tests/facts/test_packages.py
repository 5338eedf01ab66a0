"""What the installed packages ask of each other, from their own metadata."""

from importlib import metadata

import pytest
from packaging.requirements import Requirement

from mpsdoctor.facts import packages


def test_requirements_are_those_of_the_metadata() -> None:
    """Diffusers names the Hub as its own need, and PyTorch in an extra; both are found."""
    found = packages.requirements()
    named = {owner: {Requirement(text).name for text in texts} for owner, texts in found.items()}
    assert "huggingface-hub" in named["diffusers"]
    assert {"torch", "accelerate"} <= named["diffusers[torch]"]
    assert "tokenizers" in named["transformers"]


def test_only_packages_that_matter_are_named() -> None:
    """Each requirement is about a known package, and says which versions."""
    for texts in packages.requirements().values():
        for requirement in map(Requirement, texts):
            assert requirement.name in packages.NAMES
            assert requirement.specifier
            assert requirement.marker is None


def test_other_extras_and_markers_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """What only tests, or only another system, need is left out; damaged lines are."""
    lines = [
        "torch>=2; extra == 'dev'",
        "numpy>1; sys_platform == 'win32'",
        "Pillow>=10",
        "accelerate",
        "safetensors>=0.4; python_version >= '3'",
    ]
    monkeypatch.setattr(packages, "NAMES", ("diffusers", "pillow", "safetensors", "accelerate"))
    monkeypatch.setattr(metadata, "requires", lambda name: lines if name == "diffusers" else None)
    assert packages.requirements() == {"diffusers": ("pillow>=10", "safetensors>=0.4")}


@pytest.mark.parametrize("error", [metadata.PackageNotFoundError, KeyError, OSError])
def test_missing_metadata_asks_for_nothing(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """A package that is absent or damaged has no requirements."""

    def fail(name: str) -> list[str]:
        raise error(name)

    monkeypatch.setattr(metadata, "requires", fail)
    assert packages.requirements() == {}
