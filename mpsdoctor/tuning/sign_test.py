"""The sign test, evaluated after every round: how many rounds must be won to be believed.

It assumes only that without a difference a round is won with a chance of at most one half. (Dixon
and Mood, The Statistical Sign Test, Journal of the American Statistical Association 1946.) So
neither tails nor outliers can fake a difference. Every chance is counted, not approximated.
"""

from functools import lru_cache


@lru_cache
def wins_needed(error: float, most_rounds: int) -> tuple[int, ...]:
    """After 1, 2, … `most_rounds` rounds; one more than the rounds if not even all are enough.

    Without a difference, any of these numbers is ever reached with a chance of at most `error`.
    Each round may use an equal part of that chance. What it cannot use is left to the next round.
    (Lan and DeMets, Discrete Sequential Boundaries for Clinical Trials, Biometrika 1983.)
    """
    undecided = [1.0]  # by wins so far: the chance of them without ever having had enough
    spent, needed = 0.0, []
    for rounds in range(1, most_rounds + 1):
        lost, won = [*undecided, 0.0], [0.0, *undecided]
        undecided = [(one + other) / 2 for one, other in zip(lost, won, strict=True)]
        enough = rounds + 1
        while enough and spent + undecided[enough - 1] <= error * rounds / most_rounds:
            enough -= 1
            spent += undecided[enough]
            undecided[enough] = 0.0
        needed.append(enough)
    return tuple(needed)
