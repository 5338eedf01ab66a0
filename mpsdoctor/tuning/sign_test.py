"""The sign test, looked at after every round: how many rounds must be won to be believed.

Of the noise it is assumed only that a round is won with a chance of at most one half where there is
no difference (Dixon and Mood, The Statistical Sign Test, Journal of the American Statistical
Association 1946). So neither tails nor outliers can make up a difference, and every chance is
counted instead of approximated.
"""

from functools import lru_cache


@lru_cache
def wins_needed(error: float, most_rounds: int) -> tuple[int, ...]:
    """After 1, 2, … `most_rounds` rounds; one more than there were rounds where none are enough.

    Without a difference any of them is ever reached with a chance of at most `error`. Each round
    may spend an equal part of that chance; what is too little for it is left to the next one (Lan
    and DeMets, Discrete Sequential Boundaries for Clinical Trials, Biometrika 1983).
    """
    undecided = [1.0]  # the chance of so many wins, without ever as many as needed
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
