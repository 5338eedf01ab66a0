"""Two short pictures with one profile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.profile.settings import Profile
from mpsdoctor.rendering.measure import measure, step_seconds


@given(st.lists(st.tuples(st.integers(1, 20), st.floats(0.001, 1e4)), min_size=1, max_size=9))
def test_steps_between_two_that_are_told_count_as_equally_long(
    intervals: list[tuple[int, float]],
) -> None:
    """On mps only some ends are told. One step is not as long as several."""
    ends = [(1, 5.0)]
    for steps, seconds in intervals:
        ends.append((ends[-1][0] + steps, ends[-1][1] + steps * seconds))

    each = [seconds for steps, seconds in intervals for _ in range(steps)]
    assert step_seconds(ends) == pytest.approx(each)


def test_all_steps_but_the_first_of_two_pictures_are_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The warm-up before them does not count."""
    monkeypatch.setattr(Profile, "activate", lambda _self: None)
    measured = measure(Profile(model="shapes", device="cpu", dtype="float32"), 3)
    assert ("", 2 * 2) == (measured.problem, len(measured.step_seconds))
