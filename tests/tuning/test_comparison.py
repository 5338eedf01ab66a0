"""A difference is claimed where there is one."""

from math import inf, log

import pytest

from mpsdoctor.facts.measurement import Measurement
from mpsdoctor.tuning.candidates import Candidate
from mpsdoctor.tuning.comparison import MARGIN, Comparison, Standing
from mpsdoctor.tuning.measure import compare
from mpsdoctor.tuning.sign_test import wins_needed
from tests.support.noisy_machine import NOISES, NoisyMachine

ROUNDS = 24
NAMES = [
    Candidate((("attention", name), ("attention_budget", None), ("dtype", "float32")))
    for name in "ABCDE"
]
CURRENT, FASTER, SAME, *_ = NAMES
FAILED = Measurement(problem="computed NaN")


def run(noise: str, seed: int, speed: float) -> Comparison:
    machine = NoisyMachine(NOISES[noise], seed, {FASTER: speed})
    return compare(NAMES, ROUNDS, machine.measure, lambda: 0.0, lambda _line: None)


def took(seconds: float) -> Measurement:
    return Measurement(step_seconds=(seconds,))


def after(*rounds: dict[Candidate, Measurement], names: list[Candidate] = NAMES) -> Comparison:
    return Comparison(tuple(names), ROUNDS, rounds)


@pytest.mark.parametrize("noise", NOISES)
def test_eight_runs_with_equal_settings_claim_nothing(noise: str) -> None:
    """However long its tails, and while the machine gets slower or has other work."""
    assert [None] * 8 == [run(noise, seed, 1.0).fastest for seed in range(8)]


@pytest.mark.parametrize("noise", ["1 %", "2 %", "throttling"])
def test_eight_runs_find_what_is_ten_percent_faster(noise: str) -> None:
    """On a machine that is as quiet as it should be; the limits hold the true difference."""
    comparisons = [run(noise, seed, 1.1) for seed in range(8)]

    assert [FASTER] * 8 == [comparison.fastest for comparison in comparisons]
    limits = [comparison.limits(FASTER) for comparison in comparisons]
    assert 7 <= sum(MARGIN < one.low <= log(1.1) <= one.high for one in limits)


def test_a_fluke_of_one_measurement_decides_nothing() -> None:
    """The fastest time of all is one measurement; it needs rounds to be believed."""
    round_ = {name: took(1.0) for name in NAMES} | {SAME: took(0.5)}
    comparison = after(round_)

    assert not comparison.finished
    assert comparison.fastest is None


def test_each_round_has_an_order_of_its_own_and_every_second_one_runs_backwards() -> None:
    """So each candidate is measured before each other one as often as after it."""
    comparison, orders = after(), []
    for _ in range(8):
        orders.append(comparison.next_round)
        comparison = comparison.with_round(
            {name: took(1.0 - 0.1 * (name == FASTER)) for name in NAMES}
        )
        assert set(NAMES) >= set(comparison.next_round) >= {CURRENT, FASTER}

    assert sorted(map(str, orders[0])) == sorted(map(str, NAMES))
    assert orders[0] == orders[1][::-1]
    pairs = [[name for name in order if name in (CURRENT, FASTER)] for order in orders]
    assert all(one == other[::-1] for one, other in zip(pairs[::2], pairs[1::2], strict=True))
    assert len(set(map(tuple, pairs[::2]))) == 2


def test_what_is_far_slower_is_measured_twice_and_others_until_they_cannot_win() -> None:
    """Time is spent on candidates that may still be shown to be faster."""
    comparison, measured = after(), dict.fromkeys(NAMES, 0)
    seconds = {CURRENT: 1.0, FASTER: 0.9, SAME: 1.0}
    while not comparison.finished:
        order = comparison.next_round
        for name in order:
            measured[name] += 1
        comparison = comparison.with_round({name: took(seconds.get(name, 1.5)) for name in order})

    assert [10, 10, 5, 2, 2] == list(measured.values())
    assert (FASTER, Standing.NOT_FASTER) == (comparison.fastest, comparison.standing(SAME))


def test_a_candidate_that_fails_at_once_is_out_and_one_that_fails_later_has_a_second_chance() -> (
    None
):
    """Other programs can take the memory for a moment; a picture of NaN comes back."""
    right = {name: took(1.0) for name in NAMES}
    once = after(right | {FASTER: FAILED}, right)
    later = after(right, right | {FASTER: FAILED})
    twice = after(right, right | {FASTER: FAILED}, right | {FASTER: FAILED})

    assert "computed NaN" == once.problem(FASTER) == twice.problem(FASTER)
    assert FASTER not in once.next_round
    assert ("", Standing.OPEN) == (later.problem(FASTER), later.standing(FASTER))
    assert "" == later.problem(SAME)
    assert Standing.FAILED is twice.standing(FASTER)


def test_others_are_compared_with_the_first_that_works_where_the_current_settings_fail() -> None:
    """Where nothing works there is nothing to compare; later failures end it without a claim."""
    right = {name: took(1.0) for name in NAMES}
    at_once = after(right | {CURRENT: FAILED})
    nothing = after(dict.fromkeys(NAMES, FAILED))
    later = after(*[right | {FASTER: took(0.5)}] * 8, *[right | {CURRENT: FAILED}] * 2)

    assert (FASTER, False) == (at_once.reference, at_once.finished)
    assert (None, True) == (nothing.reference, nothing.finished)
    assert (CURRENT, True, None) == (later.reference, later.finished, later.fastest)


def test_current_settings_that_were_short_of_memory_once_are_measured_again() -> None:
    """Another program may have taken it. Other candidates are not waited for."""
    right = {name: took(1.0) for name in NAMES}
    short = Measurement(problem="memory pressure was warning", short_of_memory=True)
    once = after(right | {CURRENT: short, FASTER: short})
    twice = after(right | {CURRENT: short}, right | {CURRENT: short})

    alone = after({CURRENT: short}, names=[CURRENT])

    assert [(CURRENT, False)] * 2 == [(one.reference, one.finished) for one in (once, alone)]
    assert {*NAMES} - {FASTER} == {*once.next_round}
    assert (FASTER, False) == (twice.reference, twice.finished)


def test_one_candidate_alone_is_measured_once() -> None:
    """It shows that the current settings give a picture."""
    comparison = after(names=[CURRENT])
    assert [CURRENT] == comparison.next_round
    comparison = comparison.with_round({CURRENT: took(1.0)})
    assert (True, None, CURRENT) == (
        comparison.finished,
        comparison.fastest,
        comparison.reference,
    )


def test_the_rounds_that_are_allowed_are_not_exceeded() -> None:
    """Where two of them failed for a moment, the others may decide nothing."""
    won, lost = ({CURRENT: took(1.0), FASTER: took(seconds)} for seconds in (0.9, 1.0))
    failed = [won | {CURRENT: FAILED}, won | {FASTER: FAILED}]
    rounds = (*[lost, won] * 5, *[won] * 11, *failed, won)
    comparison = after(*rounds, names=[CURRENT, FASTER])

    assert (Standing.OPEN, None) == (comparison.standing(FASTER), comparison.fastest)
    assert comparison.finished
    assert not after(*rounds[:-1], names=[CURRENT, FASTER]).finished


def pair(*seconds: tuple[float, float], rounds: int = ROUNDS) -> Comparison:
    """The current settings and one more, timed in each round."""
    measured = [{CURRENT: took(ours), FASTER: took(theirs)} for ours, theirs in seconds]
    return Comparison((CURRENT, FASTER), rounds, tuple(measured))


def test_a_round_is_won_by_more_than_the_margin() -> None:
    """For two candidates 9 of 9 are enough: at 1.03 exactly they show nothing, above it they do."""
    at, above = pair(*[(1.03, 1.0)] * 9), pair(*[(1.0301, 1.0)] * 9)

    assert log(1.03) == MARGIN == at.difference(FASTER) == at.limits(FASTER).low
    assert (Standing.OPEN, None) == (pair(*[(1.0301, 1.0)] * 8).standing(FASTER), at.fastest)
    assert (Standing.FASTER, FASTER) == (above.standing(FASTER), above.fastest)
    assert (True, False) == (above.finished, pair(*[(1.0301, 1.0)] * 8).finished)


def test_a_candidate_that_cannot_win_enough_rounds_is_dropped() -> None:
    """Of 24 rounds 19 have to be won, so that the sixth lost one is too many."""
    assert 19 == wins_needed(0.01, 24)[-1]
    five, six = pair(*[(1.03, 1.0)] * 5), pair(*[(1.03, 1.0)] * 6)

    assert (Standing.OPEN, Standing.NOT_FASTER) == (five.standing(FASTER), six.standing(FASTER))
    assert (False, True) == (five.finished, six.finished)
    assert [CURRENT] == six.next_round


def test_two_rounds_that_are_more_than_a_fifth_slower_are_enough() -> None:
    """At 1.2 exactly they are not, nor is one round, nor are two of which one is better."""
    assert Standing.NOT_FASTER is pair((1.0, 1.21), (1.0, 1.3)).standing(FASTER)
    assert Standing.OPEN is pair((1.0, 1.2), (1.0, 1.3)).standing(FASTER)
    assert Standing.OPEN is pair((1.0, 9.0)).standing(FASTER)
    assert Standing.OPEN is pair((1.0, 1.19), (1.0, 9.0)).standing(FASTER)


def test_the_limits_are_the_narrowest_of_all_rounds() -> None:
    """The k-th of the sorted differences from either end, where k is what has to be won."""
    rising = [1.1 + 0.1 * number for number in range(12)]

    def limits(rounds: int) -> tuple[float, float]:
        found = pair(*[(ours, 1.0) for ours in rising[:rounds]]).limits(FASTER)
        return found.low, found.high

    assert (9, 10, 11, 11) == wins_needed(0.01, 24)[8:12]
    assert (-inf, inf) == limits(8)
    assert (log(rising[0]), log(rising[8])) == limits(9) == limits(11)
    # 11 of 12: the lowest no longer counts, and a limit that was lower before stays.
    assert (log(rising[1]), log(rising[8])) == limits(12)


def test_only_rounds_in_which_both_gave_a_picture_count() -> None:
    """A failed round gives none, and the median of none is 0."""
    comparison = after(
        {CURRENT: took(1.0), FASTER: took(0.5)},
        {CURRENT: took(1.0), FASTER: FAILED},
        {CURRENT: FAILED, FASTER: took(0.1)},
        {CURRENT: took(1.0)},
        {CURRENT: took(1.0), FASTER: took(0.25)},
        names=[CURRENT, FASTER],
    )

    assert [log(2), log(4)] == comparison.differences(FASTER)
    assert log(8) / 2 == comparison.difference(FASTER)
    assert 0.0 == comparison.difference(SAME)


def test_the_fastest_of_several_that_are_shown_to_be_faster_counts() -> None:
    """By their medians; the reference itself never is."""
    round_ = {CURRENT: took(2.0), FASTER: took(1.0), SAME: took(0.9)}
    comparison = after(*[round_] * 10, names=[CURRENT, FASTER, SAME])

    assert [Standing.FASTER] * 2 == [comparison.standing(one) for one in (FASTER, SAME)]
    assert (SAME, True) == (comparison.fastest, comparison.finished)
