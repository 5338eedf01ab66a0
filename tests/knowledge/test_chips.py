"""How much memory macOS lets the GPU have."""

import pytest

from mpsdoctor.knowledge.chips import usual_working_set

GIB = 2**30


@pytest.mark.parametrize(
    ("ram", "measured"),
    [(16, 10922.67 / 1024), (32, 21845.34 / 1024), (64, 48.0), (128, 107.52)],
)
def test_the_estimate_is_near_what_was_measured(ram: int, measured: float) -> None:
    """Within a ninth: M1 16 GB, M2 Max 32 GB (ollama #434), 64 GB (llama.cpp #1870), M5 Max."""
    estimate = usual_working_set(ram * GIB) / GIB
    assert measured * 8 / 9 <= estimate <= measured * 1.001
