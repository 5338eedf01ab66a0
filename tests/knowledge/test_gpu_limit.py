"""How much memory macOS allows the GPU."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.facts.records import Facts, Hardware, Memory, Python, System
from mpsdoctor.knowledge.gpu_limit import GpuLimit, Source, gpu_limit, usual_working_set
from mpsdoctor.units import GIB
from tests.support.machines import MACHINES


def mac(ram: int | None, wired: int | None, metal: int | None) -> Facts:
    """A Mac by amounts in bytes."""
    return Facts(
        system=System(kernel="Darwin"),
        hardware=Hardware(ram_bytes=ram),
        python=Python(),
        memory=Memory(wired_limit_bytes=wired, working_set_bytes=metal),
    )


@pytest.mark.parametrize(
    ("ram", "measured"),
    [(16, 10922.67 / 1024), (32, 21845.34 / 1024), (64, 48.0), (128, 107.52)],
)
def test_the_estimate_is_near_what_was_measured(ram: int, measured: float) -> None:
    """Within a ninth: M1 16 GB, M2 Max 32 GB (ollama #434), 64 GB (llama.cpp #1870), M5 Max."""
    estimate = usual_working_set(ram * GIB) / GIB
    assert measured * 8 / 9 <= estimate <= measured * 1.001


@pytest.mark.parametrize(("ram", "limit"), [(36 * GIB, 24 * GIB), (36 * GIB + 4, 27 * GIB + 3)])
def test_a_larger_mac_gives_the_gpu_a_larger_part(ram: int, limit: int) -> None:
    """Two thirds up to 36 GiB, three quarters above."""
    assert usual_working_set(ram) == limit


WIRED = "the limit set by iogpu.wired_limit_mb"
METAL = "what Metal recommends on this Mac"


@pytest.mark.parametrize(
    ("machine", "gib", "source", "words"),
    [
        ("m3-max-48gb-wired-limit-8gb", 8, Source.WIRED_LIMIT, WIRED),
        ("m2-max-64gb-wired-limit-58gb", 58, Source.WIRED_LIMIT, WIRED),
        ("m5-max-128gb-wired-limit-112gb", 112, Source.METAL, METAL),
        (
            "mac-studio-32gb-high-watermark-0.7",
            32 * 2 / 3,
            Source.ESTIMATE,
            "what Metal usually recommends on a Mac with 32 GiB",
        ),
    ],
)
def test_a_machine_is_believed_before_an_estimate(
    machine: str, gib: float, source: Source, words: str
) -> None:
    """The limit is estimated only if neither Metal nor a wired limit is known."""
    facts = msgspec.json.decode(Path(MACHINES / f"{machine}.json").read_bytes(), type=Facts)
    assert gpu_limit(facts) == GpuLimit(int(gib * GIB), source, words)


@pytest.mark.parametrize(
    ("ram", "wired", "metal", "limit"),
    [
        (None, None, None, (None, Source.UNKNOWN, "the memory of this Mac, which is unknown")),
        (None, 7, None, (7, Source.WIRED_LIMIT, WIRED)),
        (5, 7, None, (5, Source.WIRED_LIMIT, WIRED)),
        (9, 7, 7, (7, Source.METAL, METAL)),
        (9, 7, 6, (6, Source.METAL, METAL)),
        (9, 7, 8, (7, Source.WIRED_LIMIT, WIRED)),
        (9, 0, 8, (8, Source.METAL, METAL)),
    ],
)
def test_the_smaller_of_two_limits_counts(
    ram: int | None, wired: int | None, metal: int | None, limit: tuple[int | None, Source, str]
) -> None:
    """A wired limit of 0 is none, and one above the memory is the memory."""
    assert gpu_limit(mac(ram, wired, metal)) == GpuLimit(*limit)


sizes = st.none() | st.integers(0, 2**40)


@given(ram=sizes, wired=sizes, metal=sizes)
def test_no_more_than_any_source_allows(
    ram: int | None, wired: int | None, metal: int | None
) -> None:
    """The smallest limit counts; 0 is not a limit."""
    size = gpu_limit(mac(ram, wired, metal)).size_bytes
    assert all(size is not None and size <= limit for limit in (wired, metal) if limit)
    assert (size is None) == (ram is None and not wired and not metal)
