"""Which macOS, Python and PyTorch work together."""

import importlib.metadata

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from mpsdoctor.knowledge import floors, versions


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("2.13.0+cpu", "2.13.0"),
        ("2.10.0.dev20251008", "2.10.0"),
        ("1.13.0a0", "1.13.0"),
        ("2.6.0a0+git1eba9b3", "2.6.0"),
        ("26.0", "26"),
    ],
)
def test_a_version_counts_as_its_release(text: str, release: str) -> None:
    """Development, pre- and local builds are compared as the release that they belong to."""
    assert Version(release) == versions.parse(text)


@pytest.mark.parametrize("text", [None, "", "13.3.1 (a)", "unknown", "9" * 5000])
def test_text_that_names_no_version_is_unknown(text: str | None) -> None:
    """Text that names no version gives None and never raises."""
    assert versions.parse(text) is None


@pytest.mark.parametrize(
    ("torch", "macos"),
    [
        ("1.11.0", None),
        ("1.12.0", "12.3"),
        ("2.4.1", "12.3"),
        ("2.5.0", "13.0"),
        ("2.8.0", "13.0"),
        ("2.9.0", "14.0"),
        ("2.14.1", "14.0"),
        ("2.15.0", "15.0"),
        ("3.0.0", "15.0"),
    ],
)
def test_the_macos_floor_of_a_torch(torch: str, macos: str | None) -> None:
    """The floor rises at 2.5, 2.9 and 2.15; an unknown newer release needs at least the last."""
    assert (Version(macos) if macos else None) == floors.macos_floor(Version(torch))


@pytest.mark.parametrize(
    ("macos", "python", "torch"),
    [
        ("12.2.9", "3.9.12", None),
        ("12.3", "3.9.12", "2.4.1"),
        ("12.3", "3.7.17", "1.13.1"),
        ("12.7.6", "3.11.9", "2.4.1"),
        ("12.7.6", "3.13.0", None),
        ("13.7.4", "3.11.9", "2.8.0"),
        ("14.7.4", "3.12.8", "2.14.1"),
        ("15.0", "3.12.8", "2.15.0"),
        ("26.1", "3.10.14", "2.14.1"),
        ("26.1", "3.11.9", "2.15.0"),
        ("26.2", "3.10.14", "2.13.0"),
        ("26.2", "3.15.0", "2.15.0"),
        ("26.3", "3.11.9", "2.15.0"),
        ("27.0", "3.9.6", "2.8.0"),
        ("27.0", "3.15.0", "2.15.0"),
        ("27.0", "3.16.0", None),
    ],
)
def test_the_newest_torch_for_a_mac(macos: str, python: str, torch: str | None) -> None:
    """It installs on the Python, has mps and, if possible, triggers no fault of the macOS."""
    expected = Version(torch) if torch else None
    assert expected == floors.newest_torch_for(Version(macos), Version(python))


def test_each_release_has_wheels_for_its_pythons() -> None:
    """The first and last CPython are those of PyPI's arm64 files."""
    pythons: dict[str, str] = {}
    for row in floors.load().wheels:
        first, last = row.python
        pythons[f"{first} {last}"] = f"{pythons.get(f'{first} {last}', '')} {row.torch}".strip()
    assert pythons == {
        "3.7 3.10": "1.12.1 1.13.1",
        "3.8 3.11": "2.0.1 2.1.2",
        "3.8 3.12": "2.2.2 2.3.1 2.4.1",
        "3.9 3.12": "2.5.1",
        "3.9 3.13": "2.6.0 2.7.1 2.8.0",
        "3.10 3.14": "2.9.1 2.10.0 2.11.0 2.12.1 2.13.0 2.14.1",
        "3.11 3.15": "2.15.0",
    }


def test_the_guide_has_the_numbers_of_diffusers_page() -> None:
    """macOS, PyTorch and memory, needed and recommended, and the last PyTorch for Intel."""
    table = floors.load()
    assert table.guide == floors.Guide(
        macos_needed=Version("12.6"),
        macos_recommended=Version("13.0"),
        torch_needed=Version("1.13"),
        torch_recommended=Version("2.0"),
        ram_gib_recommended=64,
        sources=("https://huggingface.co/docs/diffusers/optimization/mps",),
    )
    assert table.x86_64.torch == Version("2.2.2")


def test_the_render_floor_is_that_of_the_package() -> None:
    """The table has the same PyTorch as the package's extra."""
    extras = importlib.metadata.requires("mpsdoctor") or []
    torch = {Requirement(extra).specifier for extra in extras if extra.startswith("torch")}
    assert {SpecifierSet(f">={floors.load().render.torch}")} == torch


def test_the_tables_ascend_and_name_their_sources() -> None:
    """Rows are in ascending order, because lookups use the last match; each has a source."""
    table = floors.load()
    for rows in (table.macos, table.wheels):
        assert sorted(row.torch for row in rows) == [row.torch for row in rows]
        assert all(row.sources for row in rows)
    assert [row.macos for row in table.macos] == sorted(row.macos for row in table.macos)
