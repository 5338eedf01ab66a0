"""The attention that mps computes without a score matrix."""

import pytest
from packaging.version import Version

from mpsdoctor.knowledge.attention.kernels import keeps_no_scores

FLASH = (32, 64, 72, 80, 96, 128, 256)
FEW = (64, 96, 128, 256)
SIZES = (1, 31, 32, 33, 40, 64, 72, 80, 88, 96, 97, 128, 160, 192, 256, 512)


@pytest.mark.parametrize(
    ("torch", "macos", "queries", "dtype", "heads"),
    [
        ("2.12.9", "15.0", 9, "float16", ()),
        ("2.13", "15.0", 9, "float16", FLASH),
        ("2.13", "15.0", 4096, "bfloat16", FLASH),
        ("2.15", "26.2", 4096, "float32", FLASH),
        ("2.13", "15.0", 4096, "float64", ()),
        ("2.13", "14.9", 4096, "float16", ()),
        ("2.13", None, 4096, "float16", FLASH),
        ("2.7.9", "15.0", 8, "float16", ()),
        ("2.8", "15.0", 8, "float16", FEW),
        ("2.13", "15.0", 1, "float64", FEW),
        ("2.13", "14.9", 8, "float16", ()),
        ("2.8", None, 1, "float16", FEW),
    ],
)
def test_release_queries_and_format_decide_for_each_head_size(
    torch: str, macos: str | None, queries: int, dtype: str, heads: tuple[int, ...]
) -> None:
    """At and beside the first releases, and at the largest number of few queries."""
    system = Version(macos) if macos else None
    release = Version(torch)
    assert heads == tuple(
        size for size in SIZES if keeps_no_scores(release, system, queries, size, dtype)
    )
