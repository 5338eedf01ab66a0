"""macOS releases with a faulty GPU driver; the data and its sources are in macos.toml."""

from functools import cache

from packaging.version import Version

from mpsdoctor.knowledge import data
from mpsdoctor.knowledge.data import Row
from mpsdoctor.records import Record


class MacosFault(Row, kw_only=True):
    """A fault from release `first` up to, but not including, `fixed`.

    `torch` is the first PyTorch that triggers it, if it depends on PyTorch. With `presumed`, nobody
    has confirmed the fix; there are only no later reports.
    """

    first: Version
    fixed: Version
    presumed: bool = False
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


def fault_of(macos: Version) -> MacosFault | None:
    """The known fault of a macOS release."""
    return next((fault for fault in load() if fault.first <= macos < fault.fixed), None)


def last_fault_of(macos: Version) -> MacosFault | None:
    """The fault that an update must pass: the release that fixes one fault can have the next."""
    fault = fault_of(macos)
    return (last_fault_of(fault.fixed) or fault) if fault else None


def torch_limit(macos: Version) -> Version | None:
    """The first PyTorch that triggers the fault of this release, if there is one."""
    fault = fault_of(macos)
    return fault.torch if fault else None
