"""Whether a candidate is faster than the current settings, or only seems to be; pure.

Each round measures every candidate once, each in a separate process. Times differ more between
processes than within one (Kalibera and Jones, Rigorous Benchmarking in Reasonable Time, ISMM 2013).
A candidate wins a round if it was faster than the current settings by more than `MARGIN`.

The order is shuffled, and reversed in every second round. So drift and the load of other programs
favour either side equally often. Without a difference, a round is at most a coin toss.

`sign_test` says how many rounds must be won. `ERROR` is the chance of any wrong statement about any
candidate after any round. Each candidate gets an equal part of it (Bonferroni), half for each side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from math import inf, log
from random import Random
from statistics import median

from mpsdoctor.facts.measurement import Measurement
from mpsdoctor.tuning.candidates import Candidate
from mpsdoctor.tuning.sign_test import wins_needed

MARGIN = log(1.03)
"""A smaller difference is not worth a change. Differences are natural logarithms of speed ratios.
"""

ERROR = 0.02

_FAR = log(1.2)
_FAR_ROUNDS = 2
"""A candidate that is this much slower in each of this many rounds is dropped. That can hide a
difference, but not invent one."""


class Standing(Enum):
    """What is known of a candidate; it is measured again while it is open or faster."""

    OPEN = "open"
    FASTER = "faster"
    NOT_FASTER = "not faster"
    FAILED = "failed"


@dataclass(frozen=True)
class Limits:
    """The true difference is between these; infinite as long as nothing is known."""

    low: float = -inf
    high: float = inf


@dataclass(frozen=True)
class Comparison:
    """The rounds so far. The first of the candidates are the current settings."""

    candidates: tuple[Candidate, ...]
    most_rounds: int
    rounds: tuple[Mapping[Candidate, Measurement], ...] = ()

    def with_round(self, measured: Mapping[Candidate, Measurement]) -> "Comparison":
        """The comparison with one more round."""
        return replace(self, rounds=(*self.rounds, measured))

    @property
    def next_round(self) -> list[Candidate]:
        """The candidates to measure, in this order."""
        number = len(self.rounds)
        order = list(self.candidates)
        Random(number // 2).shuffle(order)
        if number % 2:
            order.reverse()
        racing = {self.reference, *self._racing} if self.rounds else set(order)
        return [candidate for candidate in order if candidate in racing]

    @property
    def reference(self) -> Candidate | None:
        """The current settings; if those never worked, the first candidate that did."""
        return next((one for one in self.candidates if not self._never_worked(one)), None)

    @property
    def fastest(self) -> Candidate | None:
        """The fastest of those that are shown to be faster than the reference."""
        return max(self._with(Standing.FASTER), key=self.difference, default=None)

    @property
    def finished(self) -> bool:
        """Nothing is open, or the candidate that looks the fastest is shown to be faster."""
        reference = self.reference
        if reference is None or self.problem(reference):
            return True
        if all(one.problem for one in self.measurements(reference)):
            return False
        best = max(self._racing, key=self.difference, default=None)
        decided = best is None or self.standing(best) is Standing.FASTER
        return decided or len(self.rounds) >= self.most_rounds

    def measurements(self, candidate: Candidate) -> list[Measurement]:
        """The candidate's measurements, one per round that included it."""
        return [measured[candidate] for measured in self.rounds if candidate in measured]

    def problem(self, candidate: Candidate) -> str:
        """Why it is not measured again: it failed in its first round, or in two.

        The current settings get a second chance if memory was short, because other programs may
        have taken it.
        """
        measured = self.measurements(candidate)
        failed = [one for one in measured if one.problem]
        if not failed:
            return ""
        at_once = failed[0] is measured[0]
        excused = candidate == self.candidates[0] and failed[0].short_of_memory
        return failed[-1].problem if len(failed) > 1 or (at_once and not excused) else ""

    def standing(self, candidate: Candidate) -> Standing:
        """What is known of a candidate other than the reference."""
        if self.problem(candidate):
            return Standing.FAILED
        if self.limits(candidate).low > MARGIN:
            return Standing.FASTER
        return Standing.NOT_FASTER if self._is_hopeless(candidate) else Standing.OPEN

    def differences(self, candidate: Candidate) -> list[float]:
        """Of its speed from the reference's, in the rounds in which both gave a picture."""
        reference = self.reference
        pairs = (
            (measured[reference], measured[candidate])
            for measured in self.rounds
            if reference is not None and reference in measured and candidate in measured
        )
        return [
            log(ours.seconds / theirs.seconds)
            for ours, theirs in pairs
            if not ours.problem and not theirs.problem
        ]

    def difference(self, candidate: Candidate) -> float:
        """The median; above 0 if the candidate is faster than the reference."""
        return median(self.differences(candidate) or [0.0])

    def limits(self, candidate: Candidate) -> Limits:
        """The true median is within the limits of every round, with probability 1 - `ERROR`.

        A round's limit is the difference that the needed number of rounds has reached (Jennison and
        Turnbull, Interim Analyses: The Repeated Confidence Interval Approach, Journal of the Royal
        Statistical Society B 1989).
        """
        found, differences = Limits(), self.differences(candidate)
        for rounds, wins in enumerate(self._wins_needed[: len(differences)], 1):
            if wins <= rounds:
                rising = sorted(differences[:rounds])
                found = Limits(max(found.low, rising[-wins]), min(found.high, rising[wins - 1]))
        return found

    @property
    def _racing(self) -> list[Candidate]:
        return self._with(Standing.OPEN, Standing.FASTER)

    @property
    def _wins_needed(self) -> tuple[int, ...]:
        return wins_needed(ERROR / 2 / (len(self.candidates) - 1), self.most_rounds)

    def _is_hopeless(self, candidate: Candidate) -> bool:
        """Whether it has lost so many rounds that it can no longer win enough of them."""
        differences = self.differences(candidate)
        if len(differences) >= _FAR_ROUNDS and max(differences) < -_FAR:
            return True
        lost = sum(difference <= MARGIN for difference in differences)
        return lost > max(rounds - wins for rounds, wins in enumerate(self._wins_needed, 1))

    def _with(self, *standings: Standing) -> list[Candidate]:
        others = [one for one in self.candidates if one != self.reference]
        return [one for one in others if self.standing(one) in standings]

    def _never_worked(self, candidate: Candidate) -> bool:
        measured = self.measurements(candidate)
        return bool(self.problem(candidate)) and all(one.problem for one in measured)
