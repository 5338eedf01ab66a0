"""How often `mpsdoctor tune` claims a difference, where there is one and where there is none.

`python -m tests.benchmarks.comparisons simulated` draws times at random. `… measured` renders with
the embedded model on the CPU, with the same settings for all candidates.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import log

from msgspec.structs import replace

from mpsdoctor.facts.command import run
from mpsdoctor.facts.measurement import Measurement
from mpsdoctor.tuning.candidates import Candidate
from mpsdoctor.tuning.comparison import Comparison
from mpsdoctor.tuning.measure import Settings, compare, measure_settings
from tests.benchmarks.machine import describe
from tests.support.noisy_machine import NOISES, NoisyMachine

STEPS = 4
SPEEDS = (1.0, 1.05, 1.1, 1.2)
SHAPES: Settings = {"model": "shapes", "device": "cpu", "dtype": "float32"}
CANDIDATES = tuple(
    Candidate((("attention", name), ("attention_budget", None), ("dtype", "float32")))
    for name in "ABCDE"
)
FASTER = CANDIDATES[1]


@dataclass(frozen=True)
class Ending:
    """What a comparison found, after so many rounds and measurements."""

    found: Candidate | None
    rounds: int
    measurements: int


def ending(comparison: Comparison) -> Ending:
    measurements = sum(map(len, comparison.rounds))
    return Ending(comparison.fastest, len(comparison.rounds), measurements)


def simulated(noise: str, rounds: int, speed: float, seed: int) -> Ending:
    """One comparison in which one candidate has another speed."""
    machine = NoisyMachine(NOISES[noise], seed, {FASTER: speed})
    return ending(compare(CANDIDATES, rounds, machine.measure, lambda: 0.0, lambda _: None))


def simulate(runs: int, rounds: int) -> None:
    """Prints a table; each noise and speed has as many runs."""
    print("| noise | speed | claimed | right | rounds | measurements |\n|---|---|---|---|---|---|")
    with ProcessPoolExecutor() as pool:
        for noise in NOISES:
            for speed in SPEEDS:
                task = partial(simulated, noise, rounds, speed)
                endings = list(pool.map(task, range(runs), chunksize=20))
                print(f"| {noise} | {speed:.2f} | {row(endings)} |", flush=True)


def row(endings: Sequence[Ending]) -> str:
    """The share of runs with a claim and with a right one, and the means."""
    claims = [one.found for one in endings if one.found]
    share, right = len(claims) / len(endings), claims.count(FASTER) / len(endings)
    rounds = statistics.mean(one.rounds for one in endings)
    measurements = statistics.mean(one.measurements for one in endings)
    return f"{share:.2%} | {right:.2%} | {rounds:.1f} | {measurements:.0f}"


def measure(runs: int, rounds: int, speed: float) -> None:
    """Prints a line a run; the times of one candidate are divided by `speed`."""

    def one(candidate: Candidate) -> Measurement:
        measured = measure_settings(SHAPES, STEPS, run, watch_memory=False)
        if measured.problem:
            raise RuntimeError(measured.problem)
        ratio = speed if candidate == FASTER else 1.0
        return replace(measured, step_seconds=tuple(s / ratio for s in measured.step_seconds))

    print("| run | found | rounds | measurements | s | ms a step | steps | processes |")
    print("|---|---|---|---|---|---|---|---|")
    endings = []
    for number in range(1, runs + 1):
        began = time.monotonic()
        comparison = compare(CANDIDATES[:3], rounds, one, time.monotonic, lambda _: None)
        found = ending(comparison)
        endings.append(found)
        print(
            f"| {number} | {found.found or 'none'} | {found.rounds} | {found.measurements} "
            f"| {time.monotonic() - began:.0f} | {noise_of(comparison)} |",
            flush=True,
        )
    print(f"\nclaimed | right | rounds | measurements: {row(endings)}")


def noise_of(comparison: Comparison) -> str:
    """The median time of a step, and how far steps and processes deviate."""
    measured = [one for done in comparison.rounds for one in done.values()]
    within = [log(step / one.seconds) for one in measured for step in one.step_seconds]
    between = [log(one.seconds) for one in measured]
    typical = 1e3 * statistics.median(one.seconds for one in measured)
    return f"{typical:.1f} | {deviation(within):.1%} | {deviation(between):.1%}"


def deviation(logarithms: Sequence[float]) -> float:
    """The standard deviation of a normal distribution with the same middle half."""
    low, _, high = statistics.quantiles(logarithms, n=4)
    return (high - low) / 1.349


def main() -> None:
    """Prints what was measured on, and a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("simulated", "measured"))
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--speed", type=float, default=1.0)
    options = parser.parse_args()
    print(f"{describe()}\n")
    if options.what == "simulated":
        simulate(options.runs, options.rounds)
    else:
        measure(options.runs, options.rounds, options.speed)


if __name__ == "__main__":
    main()
