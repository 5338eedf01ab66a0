"""Amounts as people read them."""

GIB = 2**30
"""Bytes."""


def gib(size: int) -> str:
    """`size` bytes in GiB, to a tenth."""
    return f"{size / GIB:.1f} GiB"
