"""The fastest way that fits, computed by hand."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from mpsdoctor.knowledge.attention.memory import Cliff
from mpsdoctor.planning.forecast import Machine
from mpsdoctor.tuning.fit import Fit, fastest
from tests.support.footprints import MIB, SQUARES, call, square, stage

LARGE, SMALL, USUAL = SQUARES


def mac(limit_mib: int) -> Machine:
    return Machine(
        limit_bytes=limit_mib * MIB, limit_from="", mps=True, torch="2.8.0", macos="15.5"
    )


# The peaks in MiB, without the weights of 2100. Alive with attention are 100 and its output; scores
# take 6 bytes each, of which a budget bounds 4 (`tests.support.footprints`).
#   side   decoding           native                  bounded, by budget
#   512    500, 300 in tiles  100 + 96 + 2 = 198      the same: 64 MiB of scores fit every budget
#   1024   2000, 400          100 + 1536 + 8 = 1644   1024: the same; 512: 768 + 4 + 108 = 880;
#                                                     256: 384 + 2 + 108 = 494; 128: 301; 64: 204.5
#   2048   8000, 400          aborts                  1024: 1536 + 2 + 132 = 1670;
#                                                     512: 768 + 1 + 132 = 901
@pytest.mark.parametrize(
    ("limit", "side", "way", "peak", "largest_side"),
    [
        (2100 + 8000, 1024, "bounded (1024 MiB)", 2100 + 2000, 2048),
        (2100 + 8000 - 1, 1024, "native", 2100 + 2000, 1024),
        (2100 + 2000, 1024, "native", 2100 + 2000, 1024),
        (2100 + 2000 - 1, 1024, "bounded (1024 MiB) and VAE tiling", 2100 + 1644, 2048),
        (2100 + 1670, 1024, "bounded (1024 MiB) and VAE tiling", 2100 + 1644, 2048),
        (2100 + 1670 - 1, 1024, "native and VAE tiling", 2100 + 1644, 1024),
        (2100 + 1644, 1024, "native and VAE tiling", 2100 + 1644, 1024),
        (2100 + 1644 - 1, 1024, "bounded (512 MiB) and VAE tiling", 2100 + 880, 2048),
        (2100 + 901 - 1, 1024, "bounded (512 MiB) and VAE tiling", 2100 + 880, 1024),
        (2100 + 880, 1024, "bounded (512 MiB) and VAE tiling", 2100 + 880, 1024),
        (2100 + 880 - 1, 1024, "bounded (256 MiB) and VAE tiling", 2100 + 494, 2048),
        (2100 + 494 - 1, 1024, "bounded (128 MiB) and VAE tiling", 2100 + 400, 2048),
        (2100 + 400, 1024, "bounded (128 MiB) and VAE tiling", 2100 + 400, 2048),
        (2100 + 400 - 1, 512, "native and VAE tiling", 2100 + 300, 512),
        (2100 + 300, 512, "native and VAE tiling", 2100 + 300, 512),
    ],
)
def test_the_fastest_that_fits_is_what_is_computed_by_hand(
    limit: int, side: int, way: str, peak: int, largest_side: int
) -> None:
    """At the limit and a MiB beside it: tiles before pieces, pieces before a smaller picture."""
    found = fastest(SQUARES, 1024, mac(limit))

    assert found is not None
    assert (side, way, peak * MIB) == (
        found.footprint.width,
        str(found.outcome.setting),
        found.outcome.peak_bytes,
    )
    assert found == Fit(
        SMALL if side == 512 else USUAL,
        found.outcome,
        is_usual=side == 1024,
        fits=True,
        largest_side=largest_side,
    )


def test_where_nothing_fits_the_least_is_named() -> None:
    """At the smallest size; a way that a cliff prevents comes last, however little it takes."""
    found = fastest(SQUARES, 1024, mac(2100 + 300 - 1))
    alone = fastest([SMALL], 512, mac(1))

    assert found is not None
    assert alone is not None
    assert ("native and VAE tiling", 2400 * MIB) == (
        str(found.outcome.setting),
        found.outcome.peak_bytes,
    )
    assert found == Fit(SMALL, found.outcome, is_usual=False, fits=False, largest_side=None)
    assert replace(alone, outcome=found.outcome) == replace(found, is_usual=True)

    # Its native attention takes nothing on 2.13, but one of text is too large an array.
    long = stage("text", "text_encoder", 500, 10, 1, call(1, 1, 2**16, 2**15, head_size=7))
    cliff = changed(SMALL, stages=(long, *SMALL.stages[1:]))
    [*_, least] = [fastest([cliff], 512, changed(mac(1), torch="2.13.0"))]
    assert least is not None
    assert least.outcome.cliff is None
    assert "bounded" == least.outcome.setting.attention
    native = fastest([cliff], 512, changed(mac(10**6), torch="2.13.0"))
    assert native is not None
    assert "bounded (4096 MiB)" == str(native.outcome.setting)
    assert Cliff.ABORT not in {native.outcome.cliff, least.outcome.cliff}


@pytest.mark.parametrize(
    ("side", "usual"), [(None, 1024), (1024, 1024), (1025, 2048), (600, 1024), (512, 512), (1, 512)]
)
def test_the_models_own_size_is_the_smallest_known_one_that_covers_it(
    side: int | None, usual: int
) -> None:
    """A model that does not say is taken for one of 1024 pixels."""
    found = fastest(SQUARES, side, mac(20_000))

    assert found is not None
    assert (usual, True) == (found.footprint.width, found.is_usual)


def test_a_size_is_covered_by_its_shorter_side() -> None:
    """A wide picture of as many pixels is another size; the largest side is the shorter one too."""
    wide = changed(USUAL, width=2048, height=512)
    found = fastest([wide, USUAL], 1024, mac(20_000))

    assert found is not None
    assert (USUAL, 512) == (
        found.footprint,
        (fastest([wide], 512, mac(20_000)) or found).largest_side,
    )


def test_a_smaller_size_is_one_of_fewer_pixels() -> None:
    """Though its sides together are longer; of several that fit, the one with the most pixels."""
    wide = changed(SMALL, width=2048, height=128)
    found = fastest([wide, USUAL], 1024, mac(2499))
    larger = fastest([wide, SMALL, changed(SMALL, width=384, height=768), USUAL], 1024, mac(2499))

    assert found is not None
    assert larger is not None
    assert (wide, 128, False) == (found.footprint, found.largest_side, found.is_usual)
    assert (384, 768) == (larger.footprint.width, larger.footprint.height)


def test_without_needs_or_limit_nothing_is_known() -> None:
    """As where no traced size is as large as the model's own."""
    unlimited = changed(mac(1), limit_bytes=None)

    assert fastest([], 1024, mac(20_000)) is None
    assert fastest(SQUARES, 2049, mac(20_000)) is None
    assert fastest(SQUARES, 1024, unlimited) is None


def test_bounded_attention_is_not_chosen_for_scores_above_every_budget() -> None:
    """4 GiB is the largest: more scores are native where flash kernels keep none."""
    huge = square(1024, 100, 100)
    denoiser = stage("denoiser", "unet", 1500, 50, 1, call(2, 8, 2**14, 2**14))
    huge = changed(huge, stages=(huge.stages[0], denoiser, huge.stages[2]))
    flash = changed(mac(20_000), torch="2.13.0")

    found = fastest([huge], 1024, flash)
    assert found is not None
    assert "native" == str(found.outcome.setting)
