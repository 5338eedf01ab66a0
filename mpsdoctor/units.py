"""Amounts as people read them: memory in GiB, as PyTorch counts, files and disks in GB, as Finder.

Activity Monitor writes GB for what is GiB here, and a "16 GB" Mac has 16 GiB.
"""

from typing import Final

KIB: Final = 2**10
MIB: Final = 2**20
GIB: Final = 2**30
KB: Final = 10**3
MB: Final = 10**6
GB: Final = 10**9


def gib(size: float) -> str:
    """Memory of `size` bytes."""
    return f"{in_gib(size)} GiB"


def in_gib(size: float) -> str:
    """Without the unit: to a tenth, or to two digits where there is less than 1 GiB."""
    return f"{size / GIB:.1f}" if size >= GIB else f"{size / GIB:.2f}"


def whole_gib(size: float) -> str:
    """Memory that is built in, or an estimate: `16 GiB`."""
    return f"{size / GIB:.0f} GiB"


def mib(size: float) -> str:
    """Memory that is little: `64 MiB`."""
    return f"{size / MIB:.0f} MiB"


def gb(size: float) -> str:
    """A file, or room on a disk; what is small in MB or kB."""
    if size >= GB:
        return f"{size / GB:.1f} GB"
    return f"{size / MB:.0f} MB" if size >= MB else f"{size / KB:.0f} kB"
