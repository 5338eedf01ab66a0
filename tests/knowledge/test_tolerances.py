"""What counts as wrong: canaries and the picture, in new and old files."""

from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mpsdoctor.facts.records import (
    Canary,
    CanaryStatus,
    Facts,
    Hardware,
    Picture,
    PictureStatus,
    Precision,
    Python,
    System,
)
from mpsdoctor.knowledge.device import device_of
from mpsdoctor.knowledge.tolerances import PICTURE, judged_canaries, judged_picture, tolerance


def mac(chip: str | None, *canaries: Canary, picture: Picture | None = None) -> Facts:
    """A Mac with what was computed on it."""
    return Facts(
        system=System(kernel="Darwin"),
        hardware=Hardware(chip=chip),
        python=Python(),
        canaries=canaries,
        picture=picture,
    )


@pytest.mark.parametrize(
    ("chip", "precision", "error", "status"),
    [
        ("Apple M1", "float32", 0.0001, CanaryStatus.OK),
        ("Apple M1", "float32", 0.000101, CanaryStatus.WRONG),
        ("Apple M5 Pro", "float32", 0.01, CanaryStatus.OK),
        ("Apple M5 Pro", "float32", 0.0101, CanaryStatus.WRONG),
        (None, "float16", 0.02, CanaryStatus.OK),
        (None, "float16", 0.0201, CanaryStatus.WRONG),
        ("Apple M1", "bfloat16", 0.05, CanaryStatus.OK),
        ("Apple M1", "bfloat16", 0.0501, CanaryStatus.WRONG),
        ("Apple M1", "float16", 0, CanaryStatus.OK),
        ("Apple M1", "float16", "nan", CanaryStatus.WRONG),
        ("Apple M5", "exact", 0.0, CanaryStatus.OK),
        ("Apple M5", "exact", 1e-12, CanaryStatus.WRONG),
        ("Apple M5", None, 0.0, CanaryStatus.OK),
        ("Apple M5", "float32", None, CanaryStatus.WRONG),
    ],
)
def test_a_compared_canary_is_held_against_its_number_format(
    chip: str | None,
    precision: Precision | None,
    error: float | Literal["nan"] | None,
    status: CanaryStatus,
) -> None:
    """The verdict depends on format and chip, and the device has the same verdict."""
    canary = Canary(
        name="sdpa", status=CanaryStatus.COMPARED, precision=precision, error=error, seconds=0.1
    )
    facts = mac(chip, canary)
    allowed = tolerance(precision or "exact", chip)
    assert (replace(canary, status=status, tolerance=allowed),) == judged_canaries(facts)
    device = device_of(facts)
    assert (device.wrong, device.right) == (
        (("sdpa",), ()) if status is CanaryStatus.WRONG else ((), ("sdpa",))
    )


@pytest.mark.parametrize(
    ("not_finite", "rms", "status"),
    [
        (0, 1.0, PictureStatus.OK),
        (None, 1.0, PictureStatus.OK),
        (0, 1.001, PictureStatus.WRONG),
        (1, None, PictureStatus.WRONG),
        (1, 0.0, PictureStatus.WRONG),
        (None, None, PictureStatus.WRONG),
    ],
)
def test_a_compared_picture_is_held_against_rounding(
    not_finite: int | None, rms: float | None, status: PictureStatus
) -> None:
    """NaN is wrong, and so is a picture without numbers."""
    picture = Picture(
        status=PictureStatus.COMPARED,
        device="mps",
        dtype="float16",
        not_finite=not_finite,
        rms=rms,
    )
    facts = mac("Apple M1", picture=picture)
    assert replace(picture, status=status, tolerance=PICTURE) == judged_picture(facts)
    assert device_of(facts).wrong_picture == ("float16" if status is PictureStatus.WRONG else None)


@given(
    st.sampled_from([one for one in CanaryStatus if one is not CanaryStatus.COMPARED]),
    st.sampled_from([one for one in PictureStatus if one is not PictureStatus.COMPARED]),
    st.none() | st.just("nan") | st.floats(0, 1),
    st.none() | st.floats(0, 1),
)
def test_what_was_recorded_with_a_verdict_keeps_it(
    status: CanaryStatus,
    of_picture: PictureStatus,
    error: float | Literal["nan"] | None,
    allowed: float | None,
) -> None:
    """A recorded verdict stays, whatever the error and the current tolerance."""
    canary = Canary(name="sdpa", status=status, error=error, tolerance=allowed)
    picture = Picture(status=of_picture, device="mps", dtype="float16", rms=3.0, tolerance=allowed)
    facts = mac("Apple M1", canary, picture=picture)
    assert ((canary,), picture) == (judged_canaries(facts), judged_picture(facts))


def test_a_newer_gpu_may_round_float32_and_nothing_else() -> None:
    """Since the M5, only float32 is less exact (mlx #3534)."""
    chips = [None, "", "Intel(R) Core(TM) i7", "Apple M1", "Apple M4 Max"]
    assert {tolerance("float32", chip) for chip in chips} == {1e-4}
    reduced = ("Apple M5", "Apple M6 Pro", "Apple M10")
    assert {tolerance("float32", chip) for chip in reduced} == {1e-2}
    for precision in set(get_args(Precision)) - {"float32"}:
        assert tolerance(precision, "Apple M5") == tolerance(precision, "Apple M1")
    assert 0 == tolerance("exact", "Apple M5")


def test_without_a_computation_there_is_no_verdict() -> None:
    """Canaries and a picture that were not requested stay None."""
    facts = Facts(system=System(kernel="Darwin"), python=Python())
    assert (judged_canaries(facts), judged_picture(facts)) == (None, None)
    assert judged_canaries(mac("Apple M1")) == ()
