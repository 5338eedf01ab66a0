"""How many rounds must be won."""

from fractions import Fraction
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


def by_counting(error: Fraction, most_rounds: int) -> tuple[int, ...]:
    """The same by listing patterns: those that have had enough wins are taken out, round by round.

    After each round as many wins are enough as keeps their share of all patterns within the part of
    the error that the rounds so far may use.
    """
    patterns: list[tuple[int, ...]] = [()]
    wrong, needed = Fraction(0), []
    for rounds in range(1, most_rounds + 1):
        patterns = [(*pattern, won) for pattern in patterns for won in (0, 1)]
        allowed = error * Fraction(rounds, most_rounds)
        enough = rounds + 1
        while enough:
            lucky = [pattern for pattern in patterns if sum(pattern) == enough - 1]
            share = Fraction(len(lucky), 2**rounds)
            if wrong + share > allowed:
                break
            enough, wrong = enough - 1, wrong + share
            patterns = [pattern for pattern in patterns if pattern not in lucky]
        needed.append(enough)
    return tuple(needed)


@pytest.mark.parametrize("most_rounds", range(1, 10))
@pytest.mark.parametrize(
    "error", [Fraction(1, 128), Fraction(1, 20), Fraction(1, 8), Fraction(1, 2)]
)
def test_the_wins_are_what_counting_all_patterns_gives(error: Fraction, most_rounds: int) -> None:
    """Powers of a half are reached exactly, so that a share at its limit is still allowed."""
    assert by_counting(error, most_rounds) == wins_needed(float(error), most_rounds)


def test_the_first_decision_is_dixon_and_moods() -> None:
    """Their table for two sides at 1 %: none of 8 may be lost, of which the chance is 2 / 256.

    Looked at once, after the last round, the test is theirs: one side has half of that.
    """
    assert [(2,), (1,)] == [wins_needed(error, 1) for error in (0.49, 0.5)]
    assert (2, 3) == wins_needed(0.2499, 2)
    assert (2, 2) == wins_needed(0.25, 2)
    eight = wins_needed(1 / 256, 8)
    assert ((2, 3, 4, 5, 6, 7, 8), 8) == (eight[:7], eight[7])


def test_the_wins_are_those_that_the_documentation_names() -> None:
    """docs/tune.md: 10 of the first 10, 14 of 15 or 20 of 24, for five settings."""
    needed = wins_needed(0.02 / 2 / 4, 24)

    assert [10, 14, 20] == [needed[rounds - 1] for rounds in (10, 15, 24)]
    assert 10 == next(rounds for rounds, wins in enumerate(needed, 1) if wins <= rounds)
