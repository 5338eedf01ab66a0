"""Which macOS, Python and PyTorch work together; the data and its sources are in floors.toml."""

from functools import cache

from packaging.version import Version

from mpsdoctor.knowledge import data
from mpsdoctor.knowledge.data import Row
from mpsdoctor.knowledge.macos import torch_limit
from mpsdoctor.records import Record


class Guide(Row):
    """The requirements on Diffusers' page about mps."""

    macos_needed: Version
    macos_recommended: Version
    torch_needed: Version
    torch_recommended: Version
    ram_gib_recommended: int


class Render(Row):
    """The oldest PyTorch with which mpsdoctor renders."""

    torch: Version


class X8664(Row):
    """The last PyTorch for Intel processors."""

    torch: Version


class MacosFloor(Row):
    """Since release `torch`, mps needs `macos`."""

    torch: Version
    macos: Version


class Wheels(Row):
    """Release `torch` has arm64 wheels for CPython `python[0]` to `python[1]`."""

    torch: Version
    python: tuple[Version, Version]


class Floors(Record, forbid_unknown_fields=True):
    """All of floors.toml; `macos` and `wheels` are in ascending order."""

    guide: Guide
    render: Render
    x86_64: X8664
    macos: tuple[MacosFloor, ...]
    wheels: tuple[Wheels, ...]


@cache
def load() -> Floors:
    """The file, validated."""
    return data.read("floors.toml", Floors)


def macos_floor(torch: Version) -> Version | None:
    """The oldest macOS on which the mps device of release `torch` works.

    None before 1.12, the first release with an mps device. A release newer than the table needs at
    least the macOS of the newest row.
    """
    floors = [row.macos for row in load().macos if row.torch <= torch]
    return floors[-1] if floors else None


def newest_torch_for(macos: Version, python: Version) -> Version | None:
    """The newest known release that installs on this arm64 CPython and has mps on this macOS.

    A release that triggers a fault of this macOS is chosen only if there is no other.
    """
    minor = Version(f"{python.major}.{python.minor}")
    fitting = [
        row.torch
        for row in load().wheels
        if row.python[0] <= minor <= row.python[1] and _has_mps(row.torch, macos)
    ]
    limit = torch_limit(macos)
    spared = [torch for torch in fitting if limit is None or torch < limit]
    return next(reversed(spared or fitting), None)


def _has_mps(torch: Version, macos: Version) -> bool:
    floor = macos_floor(torch)
    return floor is not None and floor <= macos
