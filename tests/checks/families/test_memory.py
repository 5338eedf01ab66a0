"""MPS4xx: the limits between in order and not."""

import msgspec
import pytest

from mpsdoctor.checks.families import memory
from mpsdoctor.checks.report import Severity
from mpsdoctor.facts.records import Environment, Facts, Hardware, Memory, Pressure, Python, System

GIB = 2**30


def mac(ram: float | None, now: Memory | None = None, ratio: str | None = None) -> Facts:
    """A Mac with `ram` GB, and PYTORCH_MPS_HIGH_WATERMARK_RATIO set to `ratio`."""
    variables = {} if ratio is None else {"PYTORCH_MPS_HIGH_WATERMARK_RATIO": ratio}
    return Facts(
        system=System(kernel="Darwin"),
        hardware=Hardware(apple_silicon=True, ram_bytes=None if ram is None else int(ram * GIB)),
        python=Python(),
        memory=now or Memory(),
        environment=msgspec.convert({"variables": variables}, Environment),
    )


@pytest.mark.parametrize(
    ("ram", "severity"),
    [
        (15.9, Severity.WARNING),
        (16, Severity.NOTE),
        (63.9, Severity.NOTE),
        (64, None),
    ],
)
def test_memory_is_enough_from_16_gib_and_plenty_from_64(
    ram: float, severity: Severity | None
) -> None:
    """Below 16 GiB there is a warning, and below 64 GiB a note."""
    finding = memory.ram(mac(ram))
    assert (finding and finding.severity) is severity


@pytest.mark.parametrize(("limit", "lowered"), [(43.1, True), (43.2, False), (48, False)])
def test_nine_tenths_of_the_usual_working_set_are_enough(limit: float, lowered: bool) -> None:
    """A Mac with 64 GiB usually gives its GPU 48 GiB."""
    facts = mac(64, Memory(working_set_bytes=int(limit * GIB) + 1))
    assert (memory.working_set(facts) is not None) is lowered


@pytest.mark.parametrize(("left", "raised"), [(7.9, True), (8, False)])
def test_8_gib_must_be_left(left: float, raised: bool) -> None:
    """Exactly 8 GiB are enough for macOS and other programs."""
    facts = mac(64, Memory(wired_limit_bytes=int((64 - left) * GIB)))
    assert (memory.wired_limit(facts) is not None) is raised


@pytest.mark.parametrize(
    ("ram", "limit", "lowered", "raised"),
    [
        (16, 0, False, False),
        (16, 8, True, False),
        (16, 12, False, True),
        (64, 48, False, False),
        (64, 56, False, False),
        (64, 60, False, True),
        (64, 80, False, True),
    ],
)
def test_a_wired_limit_must_leave_both_enough(
    ram: int, limit: int, lowered: bool, raised: bool
) -> None:
    """The GPU needs about the usual amount, and must leave 8 GiB or more to macOS."""
    facts = mac(ram, Memory(wired_limit_bytes=limit * GIB))
    assert (memory.working_set(facts) is not None) is lowered
    assert (memory.wired_limit(facts) is not None) is raised


def test_what_metal_gives_is_better_than_an_estimate() -> None:
    """Metal's working set counts without a limit, and the watermark is a multiple of it."""
    assert memory.working_set(mac(16, Memory(working_set_bytes=6 * GIB))) is not None
    assert memory.working_set(mac(16, Memory(working_set_bytes=12 * GIB))) is None
    finding = memory.watermark(mac(16, Memory(working_set_bytes=12 * GIB)))
    assert finding is not None
    assert "about 20 GiB of 16 GiB" in finding.observed


@pytest.mark.parametrize(("used", "found"), [(0, False), (3.9, False), (4, True), (40, True)])
def test_swap_counts_from_a_quarter_of_memory(used: float, found: bool) -> None:
    """A little swap is normal on macOS."""
    facts = mac(16, Memory(swap_used_bytes=int(used * GIB)))
    assert (memory.swap(facts) is not None) is found


def test_pressure_says_how_grave_it_is() -> None:
    """Yellow slows down, red ends programs, green says nothing."""
    for pressure, word in ((Pressure.WARNING, "yellow"), (Pressure.CRITICAL, "red")):
        finding = memory.pressure(mac(16, Memory(pressure=pressure)))
        assert finding is not None
        assert word in finding.observed
    assert memory.pressure(mac(16, Memory(pressure=Pressure.NORMAL))) is None


@pytest.mark.parametrize(
    ("ram", "ratio", "found"),
    [
        (16, None, True),
        (16, "1.0", False),
        (16, "1.6", True),
        (16, "0.0", False),
        (16, "3", False),
        (16, "much", False),
        (16, "1.6 GB", True),
        (63.9, None, True),
        (64, None, False),
    ],
)
def test_the_watermark_is_measured_against_memory(
    ram: float, ratio: str | None, found: bool
) -> None:
    """PyTorch's default exceeds 16 GiB; an invalid ratio and “no limit” are not found here."""
    assert (memory.watermark(mac(ram, ratio=ratio)) is not None) is found


def test_the_advice_for_8_gb_leaves_the_size_to_the_profile() -> None:
    """The advice names no size: what fits depends on the model and on PyTorch."""
    finding = memory.ram(mac(8))
    assert finding is not None
    assert "largest_side" in finding.remedy.text
    assert "512" not in finding.remedy.text
