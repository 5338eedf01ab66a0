"""Whether it fits, and with which settings."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mpsdoctor.facts.records import Facts
from mpsdoctor.knowledge.attention.memory import Cliff
from mpsdoctor.planning import needs
from mpsdoctor.planning.footprint import Footprint
from mpsdoctor.planning.forecast import (
    Attention,
    Forecast,
    Machine,
    Setting,
    forecast,
    largest,
    machine_of,
)
from tests.support.machines import MACHINES

GIB = 2**30
MODES: tuple[Attention, ...] = ("native", "bounded", "sliced")


def footprint(model: str, side: int, dtype: str = "float16") -> Footprint:
    found = needs.of_model(model)
    assert found is not None
    one = needs.exact(found, side, side, dtype)
    assert one is not None
    return one


def mac(gib: float, torch: str = "2.6.0", macos: str = "15.2") -> Machine:
    return Machine(
        limit_bytes=int(gib * GIB), limit_from="a test", mps=True, torch=torch, macos=macos
    )


def outcomes(one: Forecast) -> dict[Setting, tuple[bool | None, Cliff | None]]:
    return {outcome.setting: (outcome.fits, outcome.cliff) for outcome in one.outcomes}


def test_the_flash_kernels_of_torch_2_13_keep_no_scores() -> None:
    """SDXL's heads have 64 elements: native and bounded attention then take the same."""
    one = footprint("stabilityai/stable-diffusion-xl-base-1.0", 1024)
    old, new = (forecast(one, mac(100, torch), MODES, 512) for torch in ("2.6.0", "2.13.0"))
    denoiser = [result.outcomes[0].stages[1] for result in (old, new)]
    assert denoiser[1].peak_bytes == one.stages[1].peak_bytes
    scores = 2 * 10 * 4096**2 * (4 + 2)
    assert denoiser[0].peak_bytes > scores > denoiser[1].peak_bytes


def test_what_would_abort_the_process_is_never_best() -> None:
    """SD 1.5 at 1024×1024 has 2**32 scores: native attention fails in an endless memory too."""
    one = forecast(footprint("runwayml/stable-diffusion-v1-5", 1024), mac(10**6), MODES, 512)
    native, bounded = one.outcomes[0], one.outcomes[2]
    assert (True, Cliff.ABORT) == (native.fits, native.cliff)
    assert (True, None) == (bounded.fits, bounded.cliff)
    assert one.best == bounded.setting
    later = forecast(
        footprint("runwayml/stable-diffusion-v1-5", 1024), mac(10**6, macos="26.2"), MODES, 512
    )
    assert later.outcomes[0].cliff is Cliff.WRONG


def test_a_cpu_keeps_no_scores_and_has_no_cliff() -> None:
    """Its limit is its memory, and `limit_from` says so."""
    recorded = (MACHINES / "linux-torch-2.13.0+cpu.json").read_bytes()
    machine = machine_of(msgspec.json.decode(recorded, type=Facts))
    assert "not a Mac" in machine.limit_from
    one = forecast(footprint("runwayml/stable-diffusion-v1-5", 1024), machine, MODES, 512)
    assert {None} == {cliff for _, cliff in outcomes(one).values()}


def test_what_is_missing_is_said_to_the_byte() -> None:
    """A limit one byte too low misses a byte."""
    one = footprint("stabilityai/stable-diffusion-xl-base-1.0", 1024)
    peak = forecast(one, mac(100), ("native",), 512).outcomes[0].peak_bytes
    tight = Machine(limit_bytes=peak - 1, limit_from="a test", mps=True, torch="2.6.0")
    result = forecast(one, tight, ("native",), 512).outcomes[0]
    assert (False, 1) == (result.fits, result.missing_bytes)


def test_open_programs_do_not_change_what_fits() -> None:
    """Their memory changes from minute to minute, so it is counted separately, to the byte."""
    one = footprint("stabilityai/stable-diffusion-xl-base-1.0", 1024)
    busy = replace(mac(100), ram_bytes=128 * GIB, in_use_bytes=120 * GIB)
    idle, crowded = (forecast(one, machine, MODES, 512) for machine in (mac(100), busy))
    assert (idle.best, None) == (crowded.best, idle.outcomes[0].missing_now_bytes)
    outcome = crowded.best_outcome
    assert outcome is not None
    assert outcome.missing_now_bytes == outcome.peak_bytes - 8 * GIB > 0
    assert (True, 0) == (outcome.fits, outcome.missing_bytes)


@pytest.mark.parametrize("path", sorted(MACHINES.glob("*.json")), ids=lambda path: path.stem)
def test_every_recorded_machine_can_be_planned_for(path: Path) -> None:
    """Whatever is not known of it."""
    machine = machine_of(msgspec.json.decode(path.read_bytes(), type=Facts))
    one = forecast(footprint("shapes", 128), machine, MODES, 512)
    assert all((outcome.fits is None) == (machine.limit_bytes is None) for outcome in one.outcomes)


@given(
    less=st.integers(0, 64 * GIB),
    more=st.integers(0, 64 * GIB),
    torch=st.sampled_from([None, "1.13.1", "2.4.1", "2.8.0", "2.13.0", "nonsense"]),
    macos=st.sampled_from([None, "12.6", "14.7", "15.2", "26.1"]),
    budget=st.integers(1, 8192),
)
def test_more_memory_never_fits_less(
    less: int, more: int, torch: str | None, macos: str | None, budget: int
) -> None:
    """The largest size that fits grows with the limit, and no versions make it fail."""
    found = needs.of_model("stabilityai/stable-diffusion-xl-base-1.0")
    assert found is not None

    def most(limit: int) -> int:
        machine = Machine(limit_bytes=limit, limit_from="", mps=True, torch=torch, macos=macos)
        best = largest(forecast(one, machine, MODES, budget) for one in found.footprints)
        return 0 if best is None else best.width * best.height

    assert most(less) <= most(less + more)
