"""Amounts as text: memory in GiB (2³⁰ bytes) like PyTorch, files and disks in GB (10⁹) like Finder.

Activity Monitor writes GB, but means GiB: a "16 GB" Mac has 16 GiB.
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
    """Without the unit, with one digit after the point; with two below 1 GiB."""
    return f"{size / GIB:.1f}" if size >= GIB else f"{size / GIB:.2f}"


def whole_gib(size: float) -> str:
    """Built-in or estimated memory, without digits after the point: `16 GiB`."""
    return f"{size / GIB:.0f} GiB"


def mib(size: float) -> str:
    """A small amount of memory: `64 MiB`."""
    return f"{size / MIB:.0f} MiB"


def gb(size: float) -> str:
    """A file's size, or space on a disk; small amounts in MB or kB."""
    if size >= GB:
        return f"{size / GB:.1f} GB"
    return f"{size / MB:.0f} MB" if size >= MB else f"{size / KB:.0f} kB"
