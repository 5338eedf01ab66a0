"""A machine on which the same picture takes another time in each process."""

from collections.abc import Callable, Iterator, Mapping
from math import exp
from random import Random

from mpsdoctor.facts.measurement import Measurement
from mpsdoctor.tuning.candidates import Candidate

Noise = Callable[[Random], Iterator[float]]
"""Makes the logarithms by which measurements, one after the other, take longer than they should."""

STEPS = 6


def independent(deviation: float) -> Noise:
    """Normal, with the same standard deviation in each process."""

    def noise(random: Random) -> Iterator[float]:
        while True:
            yield random.gauss(0, deviation)

    return noise


def heavy_tails(random: Random) -> Iterator[float]:
    """Student's t with 2 degrees of freedom, which has no variance; half lie within 1.6 %."""
    while True:
        yield 0.02 * random.gauss(0, 1) / (random.gammavariate(1, 1)) ** 0.5


def two_modes(random: Random) -> Iterator[float]:
    """One process in four lies badly in memory, or runs on other cores, and is 15 % slower."""
    while True:
        yield random.gauss(0.15 if random.random() < 0.25 else 0, 0.01)


def throttling(random: Random) -> Iterator[float]:
    """The machine gets hot: 40 % slower by and by."""
    number = 0
    while True:
        yield 0.4 * (1 - exp(-number / 15)) + random.gauss(0, 0.02)
        number += 1


def other_programs(random: Random) -> Iterator[float]:
    """For a while, again and again, something else takes up to two thirds of the machine."""
    load = 0.0
    while True:
        if random.random() < 1 / 6:
            load = random.uniform(0.1, 1.1) if random.random() < 1 / 3 else 0.0
        yield load * random.uniform(0.5, 1) + random.gauss(0, 0.02)


NOISES: Mapping[str, Noise] = {
    "1 %": independent(0.01),
    "2 %": independent(0.02),
    "3 %": independent(0.03),
    "5 %": independent(0.05),
    "20 %": independent(0.2),
    "heavy tails": heavy_tails,
    "two modes": two_modes,
    "throttling": throttling,
    "other programs": other_programs,
}


class NoisyMachine:
    """Measures candidates; `speeds` are those that differ from 1."""

    def __init__(self, noise: Noise, seed: int, speeds: Mapping[Candidate, float]) -> None:
        self._random = Random(seed)
        self._noise = noise(self._random)
        self._speeds = speeds

    def measure(self, candidate: Candidate) -> Measurement:
        """As of one process. Its steps differ by 1 %; one in twenty takes half as long again."""
        process = next(self._noise)
        seconds = exp(process) / self._speeds.get(candidate, 1)
        return Measurement(step_seconds=tuple(seconds * self._step() for _ in range(STEPS)))

    def _step(self) -> float:
        return exp(self._random.gauss(0, 0.01)) * (1.5 if self._random.random() < 0.05 else 1)
