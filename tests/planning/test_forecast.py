"""Whether it fits, and with which settings."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mpsdoctor.facts.records import Facts, Hardware, Memory, Python, System
from mpsdoctor.knowledge.attention.memory import Cliff
from mpsdoctor.planning import needs
from mpsdoctor.planning.footprint import Footprint, StageName
from mpsdoctor.planning.forecast import (
    Attention,
    Forecast,
    Machine,
    Outcome,
    Setting,
    StageForecast,
    forecast,
    largest,
    machine_of,
)
from tests.support.footprints import (
    DECODER,
    DENOISER,
    FOOTPRINT,
    MIB,
    TEXT,
    WEIGHTS_MIB,
    call,
    stage,
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


# How each machine computes the large attention of FOOTPRINT's denoiser (tests.support.footprints),
# in MiB: its temporaries, the largest array, with native, bounded (512) and sliced attention.
#
# GENERAL (torch 2.5 on, macOS 15 on): scores in float32 and the softmax in float16.
#   native    2**28 * (4 + 2) = 1536; the array 2**28 * 4 = 1024.
#   bounded   pieces of one picture, 2**27 scores: 2**27 * 6 = 768, and the piece's output,
#             8 * 4096 * 64 * 2 = 4, until it is copied; the array 2**27 * 4 = 512.
# MATH (torch 2.5 on, macOS 14): query and key have 2 * 8 * 4096 * 64 values, 16 in float32.
#   native    normalising: query scaled, and query and key twice converted 16 + 16 + 32 = 64;
#             two score matrices 2 * 1024; one byte a score 256; without the output: - 8.
#   bounded   the same for a piece of half of it, 8 + 8 + 16 + 2 * 512 + 128 - 4, and its output 4.
# COMPOSITE (torch to 2.4): the same in float16, without conversions and without that byte.
#   native    query 8 + 2 * 512 - 8 = 1024; the array 2**28 * 2 = 512.
#   bounded   a piece 4 + 2 * 256 - 4 = 512, and its output 4; the array 2**27 * 2 = 256.
# Slices (a UNet's) have half of the heads: 4 * 4096 * 4096 = 2**26 scores in float16.
#   sliced    twice 2**26 * 2 = 256, and the slice before, 4 * 4096 * 64 * 2 = 2; the array 128.
# FLASH (torch 2.13 on, and a CPU): no scores. Only a piece's output is left.
MACHINES_BY_HAND: dict[str, tuple[Machine, dict[Attention, tuple[int, int]]]] = {
    "general": (
        Machine(limit_bytes=None, limit_from="", mps=True, torch="2.12.1", macos="15.0"),
        {"native": (1536, 1024), "bounded": (768 + 4, 512), "sliced": (256 + 2, 128)},
    ),
    "unknown torch": (
        Machine(limit_bytes=None, limit_from="", mps=True),
        {"native": (1536, 1024), "bounded": (768 + 4, 512), "sliced": (256 + 2, 128)},
    ),
    "math": (
        Machine(limit_bytes=None, limit_from="", mps=True, torch="2.13.0", macos="14.8"),
        {
            "native": (64 + 2 * 1024 + 256 - 8, 1024),
            "bounded": (32 + 2 * 512 + 128 - 4 + 4, 512),
            "sliced": (256 + 2, 128),
        },
    ),
    "composite": (
        Machine(limit_bytes=None, limit_from="", mps=True, torch="2.4.1", macos="15.0"),
        {
            "native": (8 + 2 * 512 - 8, 512),
            "bounded": (4 + 2 * 256 - 4 + 4, 256),
            "sliced": (256 + 2, 128),
        },
    ),
    "flash": (
        Machine(limit_bytes=None, limit_from="", mps=True, torch="2.13.0", macos="15.0"),
        {"native": (0, 0), "bounded": (4, 0), "sliced": (256 + 2, 128)},
    ),
    "cpu": (
        Machine(limit_bytes=None, limit_from="", mps=False, torch="2.6.0"),
        {"native": (0, 0), "bounded": (4, 0), "sliced": (256 + 2, 128)},
    ),
}


@pytest.mark.parametrize("name", MACHINES_BY_HAND)
def test_every_stage_and_setting_is_what_is_computed_by_hand(name: str) -> None:
    """The whole forecast; numbers in MiB, derived in the comment above."""
    machine, attention = MACHINES_BY_HAND[name]
    bounded = {"native": None, "bounded": 512, "sliced": None}

    def outcome(mode: Attention, *, tiling: bool) -> Outcome:
        temporary, array = attention[mode]
        denoiser = max(200, 100 + temporary + 8)  # alive with its inputs 100, its output 8
        decoder, buffer = (400, 100) if tiling else (2000, 500)
        return Outcome(
            setting=Setting(attention=mode, attention_budget=bounded[mode], vae_tiling=tiling),
            stages=(
                by_hand("text", 250, 60, 20),
                by_hand("denoiser", 1600, denoiser, max(300, array)),
                by_hand("decoder", 160, decoder, buffer),
            ),
            peak_bytes=(250 + 1600 + 160 + max(60, denoiser, decoder)) * MIB,
            largest_buffer_bytes=max(20, 300, array, buffer) * MIB,
            cliff=None,
            fits=None,
        )

    assert forecast(FOOTPRINT, machine, MODES, 512) == Forecast(
        model="me/model",
        pipeline="MyPipeline",
        width=512,
        height=768,
        dtype="float16",
        batch=2,
        weights_bytes=(250 + 1600 + 160) * MIB,
        outcomes=tuple(outcome(mode, tiling=tiling) for mode in MODES for tiling in (False, True)),
        best=None,
    )


def by_hand(name: StageName, weights: int, peak: int, buffer: int) -> StageForecast:
    return StageForecast(
        name=name,
        weights_bytes=weights * MIB,
        peak_bytes=peak * MIB,
        largest_buffer_bytes=buffer * MIB,
    )


@pytest.mark.parametrize("at", [0, 1, 2])
def test_any_stage_can_need_the_most(at: int) -> None:
    """A text encoder counts as much as a denoiser or a decoder, for the peak and for arrays."""
    small = [stage(one.name, one.name, 100, 10, 1) for one in (TEXT, DENOISER, DECODER)]
    stages = [*small[:at], stage(small[at].name, small[at].name, 100, 700, 70), *small[at + 1 :]]
    machine = MACHINES_BY_HAND["general"][0]
    found = forecast(replace(FOOTPRINT, stages=tuple(stages), tiled=None), machine, ["native"], 512)

    assert (found.outcomes[0].peak_bytes, found.outcomes[0].largest_buffer_bytes) == (
        (300 + 700) * MIB,
        70 * MIB,
    )


def test_a_budget_that_fits_the_scores_splits_nothing() -> None:
    """2**28 scores in float32 are 1024 MiB: with a MiB less they are computed in two pieces."""
    machine = MACHINES_BY_HAND["general"][0]
    at, beside = (forecast(FOOTPRINT, machine, ["bounded"], budget) for budget in (1024, 1023))

    assert [(100 + 1536 + 8) * MIB, (100 + 768 + 4 + 8) * MIB] == [
        one.outcomes[0].stages[1].peak_bytes for one in (at, beside)
    ]
    assert [1024 * MIB, 512 * MIB] == [
        one.outcomes[0].stages[1].largest_buffer_bytes for one in (at, beside)
    ]


def test_slicing_does_nothing_in_a_transformer() -> None:
    """Diffusers slices UNets alone; elsewhere the setting means native attention."""
    transformer = replace(DENOISER, components=("transformer",))
    found = forecast(
        replace(FOOTPRINT, stages=(transformer,), tiled=None),
        MACHINES_BY_HAND["general"][0],
        ["sliced", "native"],
        512,
    )

    sliced, native = (outcome.stages for outcome in found.outcomes)
    assert sliced == native == (by_hand("denoiser", 1600, 100 + 1536 + 8, 1024),)


PEAK = (WEIGHTS_MIB + 2000) * MIB
"""Of FOOTPRINT without tiles: its decoder needs the most."""


@pytest.mark.parametrize(
    ("limit", "left", "fits", "missing", "missing_now"),
    [
        (PEAK, PEAK, True, 0, 0),
        (PEAK - 1, PEAK - 1, False, 1, 1),
        (PEAK + 1, PEAK + 1, True, 0, 0),
        (0, 0, False, PEAK, PEAK),
        (None, None, None, 0, None),
        (PEAK, 0, True, 0, PEAK),
        (0, PEAK, False, PEAK, 0),
    ],
)
def test_the_verdict_at_and_beside_the_limit(
    limit: int | None, left: int | None, fits: bool | None, missing: int, missing_now: int | None
) -> None:
    """To the byte, and what other programs leave counts by itself."""
    ram = None if left is None else 7 + left
    machine = Machine(
        limit_bytes=limit, limit_from="", mps=True, torch="2.6", ram_bytes=ram, in_use_bytes=7
    )
    one = forecast(replace(FOOTPRINT, tiled=None), machine, ["native"], 512)

    [found] = one.outcomes
    assert (left, PEAK) == (machine.left_bytes, found.peak_bytes)
    assert (fits, missing, missing_now) == (
        found.fits, found.missing_bytes, found.missing_now_bytes
    )  # fmt: skip
    assert one.best == (Setting(attention="native") if fits else None)
    assert one.best_outcome == (found if fits else None)


def test_more_in_use_than_there_is_leaves_nothing() -> None:
    """macOS compresses memory and swaps, so it can be; without a figure nothing is known."""
    crowded = Machine(limit_bytes=1, limit_from="", mps=True, ram_bytes=7, in_use_bytes=8)

    assert (0, None, None) == (
        crowded.left_bytes,
        replace(crowded, ram_bytes=None).left_bytes,
        replace(crowded, in_use_bytes=None).left_bytes,
    )


def test_the_best_is_the_first_that_fits_and_sliced_only_alone() -> None:
    """Tiles before pieces, as only the decoding takes longer; slices are slower than both."""
    general = MACHINES_BY_HAND["general"][0]

    def best(limit_mib: int, *attentions: Attention) -> str:
        machine = replace(general, limit_bytes=(WEIGHTS_MIB + limit_mib) * MIB)
        return str(forecast(FOOTPRINT, machine, attentions, 512).best)

    assert "native" == best(2000, *MODES)
    assert "native and VAE tiling" == best(1999, *MODES) == best(1644, *MODES)
    assert "bounded (512 MiB) and VAE tiling" == best(1643, *MODES) == best(880, *MODES)
    assert "None" == best(879, *MODES)
    assert "sliced and VAE tiling" == best(400, "sliced")
    assert "None" == best(399, "sliced")


def test_the_worst_of_several_cliffs_is_named() -> None:
    """In one stage and in the whole: an abort is worse than a wrong picture."""
    wrong = call(1, 1, 2**16, 2**15)  # 2**31 scores: 4 GiB in float16, and not more
    aborts = call(1, 1, 2**16, 2**15, dtype="float32")
    footprint = replace(
        FOOTPRINT,
        stages=(
            stage("text", "text_encoder", 1, 1, 1, call(1, 1, 2**16, 2**15 - 1)),
            stage("denoiser", "unet", 1, 1, 1, wrong),
            stage("decoder", "vae", 1, 1, 1, wrong, aborts, wrong),
        ),
    )
    old = MACHINES_BY_HAND["composite"][0]

    def cliffs(machine: Machine) -> list[Cliff | None]:
        one = forecast(footprint, machine, ["native"], 512)
        return [one.outcomes[0].cliff, *(stage.cliff for stage in one.outcomes[0].stages)]

    assert [Cliff.ABORT, None, Cliff.WRONG, Cliff.ABORT] == cliffs(old)
    assert [Cliff.WRONG, None, Cliff.WRONG, Cliff.WRONG] == cliffs(replace(old, macos="26.0"))
    assert [None] * 4 == cliffs(replace(old, mps=False))
    unlimited = replace(old, limit_bytes=2**60)
    assert forecast(footprint, unlimited, ["native"], 512).best is None


def test_the_largest_has_the_most_pixels_of_those_that_fit() -> None:
    """Not the longest side; of several with as many, the first."""
    machine = replace(MACHINES_BY_HAND["general"][0], limit_bytes=PEAK)

    def at(width: int, height: int, weights_mib: int = 0) -> Forecast:
        more = stage("decoder", "vae", 160 + weights_mib, 2000, 1)
        stages = (TEXT, DENOISER, more)
        return forecast(
            replace(FOOTPRINT, width=width, height=height, stages=stages, tiled=None),
            machine,
            ["native"],
            512,
        )

    long = [at(100, 1000), at(1000, 100)]
    sizes = [at(400, 300), at(300, 400), at(900, 900, weights_mib=1)]
    assert sizes[0] == largest([*long, *sizes])
    assert largest(sizes[2:]) is None


def test_an_empty_footprint_needs_nothing() -> None:
    """No stage, or a stage without attention and activations."""
    machine = replace(MACHINES_BY_HAND["general"][0], limit_bytes=0)
    [nothing] = forecast(
        replace(FOOTPRINT, stages=(), tiled=None), machine, ["native"], 512
    ).outcomes

    assert (0, 0, True) == (nothing.peak_bytes, nothing.largest_buffer_bytes, nothing.fits)


def test_a_machine_is_what_its_facts_say() -> None:
    """A Mac's limit is its GPU's, another machine's its memory."""
    facts = Facts(
        system=System(kernel="Darwin", macos_version="15.2"),
        hardware=Hardware(ram_bytes=16 * GIB),
        python=Python(),
        memory=Memory(in_use_bytes=5 * GIB, working_set_bytes=11 * GIB),
        packages={"torch": "2.6.0"},
    )
    mac = Machine(
        limit_bytes=11 * GIB,
        limit_from="what Metal recommends on this Mac",
        mps=True,
        torch="2.6.0",
        macos="15.2",
        ram_bytes=16 * GIB,
        in_use_bytes=5 * GIB,
    )
    linux = replace(facts, system=System(kernel="Linux"))

    assert machine_of(facts) == mac
    assert machine_of(linux) == Machine(
        limit_bytes=16 * GIB,
        limit_from="the memory of this machine, which is not a Mac",
        mps=False,
        torch="2.6.0",
        ram_bytes=16 * GIB,
        in_use_bytes=5 * GIB,
    )


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
    half = [one for one in found.footprints if one.dtype == "float16"]

    def most(limit: int) -> int:
        machine = Machine(limit_bytes=limit, limit_from="", mps=True, torch=torch, macos=macos)
        best = largest(forecast(one, machine, MODES, budget) for one in half)
        return 0 if best is None else best.width * best.height

    assert most(less) <= most(less + more)
