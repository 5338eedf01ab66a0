"""Remaining time, from the time so far."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.hotfolder.status.eta import picture_remaining, queue_remaining


@pytest.mark.parametrize(
    ("done", "left"),
    [
        ([], None),
        ([(1, 9.0)], None),
        ([(1, 9.0), (2, 10.0)], 28.0),
        ([(1, 9.0), (2, 10.0), (12, 20.0)], 18.0),
        ([(1, 9.0), (2, 10.0), (3, 11.0), (4, 20.0)], 26.0),
        ([(1, 9.0), (30, 38.0)], 0.0),
        ([(1, 9.0), (31, 38.0)], 0.0),
        ([(2, 9.0), (2, 10.0)], None),
        ([(1, 9.0), (2, 9.0)], 0.0),
        ([(1, 9.0), (2, 8.0)], None),
        ([(1, 9.0), (2, math.inf)], None),
    ],
)
def test_a_picture_takes_as_long_as_its_usual_step(
    done: list[tuple[int, float]], left: float | None
) -> None:
    """The first step, which compiles shaders, and single slow steps do not count."""
    assert left == picture_remaining(30, done)


@pytest.mark.parametrize(
    ("current", "pictures", "rendering", "left"),
    [
        (None, 0, False, 0.0),
        (None, 4, False, 12.0),
        (1.0, 4, False, 12.0),
        (1.0, 4, True, 13.0),
        (None, 4, True, 15.0),
        (0.0, 1, True, 3.0),
        (1.0, 0, True, 1.0),
        (1.0, -1, True, 1.0),
    ],
)
def test_the_queue_takes_as_long_as_its_usual_picture(
    current: float | None, pictures: int, rendering: bool, left: float
) -> None:
    """Each waiting picture takes the median of the last ones, and so does one that just began."""
    assert left == queue_remaining(current, pictures, [2.0, 3.0, 60.0], rendering=rendering)


def test_without_a_picture_only_the_present_one_can_be_known() -> None:
    """Without past pictures, the time of a waiting one is unknown."""
    assert 5.0 == queue_remaining(5.0, 0, [], rendering=True)
    assert queue_remaining(5.0, -1, [], rendering=True) is None
    assert queue_remaining(5.0, 1, [], rendering=True) is None
    assert queue_remaining(None, 0, [], rendering=True) is None


@given(
    st.integers(),
    st.lists(st.tuples(st.integers(), st.floats())),
    st.none() | st.floats(0, 1e9),
)
def test_odd_clocks_give_no_odd_answer(
    pictures: int, done: list[tuple[int, float]], current: float | None
) -> None:
    """Even if clocks jump or fail, the result is None or can be shown."""
    for left in (
        picture_remaining(1000, done),
        queue_remaining(
            current, min(pictures, 1000), [at for _, at in done], rendering=current is not None
        ),
    ):
        assert left is None or left >= 0
        assert left is None or not math.isnan(left)
