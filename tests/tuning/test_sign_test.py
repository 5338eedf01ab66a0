"""How many rounds must be won."""

from itertools import accumulate, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.tuning.sign_test import wins_needed


@given(st.floats(0.0005, 0.2), st.integers(1, 10))
def test_looking_after_each_round_is_wrong_no_more_often_than_allowed(
    error: float, most_rounds: int
) -> None:
    """Of all patterns of won and lost rounds, at most that share ever has enough wins."""
    needed = wins_needed(error, most_rounds)
    patterns = list(product((0, 1), repeat=most_rounds))
    wrong = sum(
        any(won >= enough for won, enough in zip(accumulate(pattern), needed, strict=True))
        for pattern in patterns
    )
    assert wrong / len(patterns) <= error


@pytest.mark.parametrize(
    ("error", "most_rounds", "first", "last"),
    [(0.01, 24, 9, 19), (0.01 / 4, 24, 10, 20), (0.01 / 6, 10, 10, 10)],
)
def test_the_chance_is_used(error: float, most_rounds: int, first: int, last: int) -> None:
    """From the `first` round on enough can be won, and some may be lost in the end."""
    needed = wins_needed(error, most_rounds)
    assert first == next(rounds for rounds, wins in enumerate(needed, 1) if wins <= rounds)
    assert last == needed[-1]
