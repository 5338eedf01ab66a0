"""macOS releases with faults in the GPU's driver; the data and its sources are in macos.toml."""

from functools import cache

from packaging.version import Version

from mpsdoctor.knowledge import chips, data
from mpsdoctor.knowledge.floors import Row
from mpsdoctor.records import Record


class MacosFault(Row, kw_only=True):
    """From release `first` until before `fixed`; `torch` is the PyTorch that brings it out."""

    first: Version
    fixed: Version
    chips: tuple[chips.Family, ...]
    torch: Version | None = None
    effect: str
    remedy: str


class MacosFaults(Record, forbid_unknown_fields=True):
    """All of macos.toml."""

    fault: tuple[MacosFault, ...]


@cache
def load() -> tuple[MacosFault, ...]:
    """The file, validated."""
    return data.read("macos.toml", MacosFaults).fault


def fault_of(macos: Version, chip: str | None) -> MacosFault | None:
    """The known fault of a macOS release on the chip of this brand; an unknown chip has it too."""
    family = chips.family(chip)
    for fault in load():
        hits = family is None or not fault.chips or family in fault.chips
        if hits and fault.first <= macos < fault.fixed:
            return fault
    return None


def cured(macos: Version, chip: str | None) -> Version:
    """The first release from `macos` on that has no known fault on this chip."""
    fault = fault_of(macos, chip)
    return cured(fault.fixed, chip) if fault else macos
