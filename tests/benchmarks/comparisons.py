"""How often `tune` claims a difference: `python -m tests.benchmarks.comparisons [--runs 200]`.

Simulates machines with each kind of noise (tests/support/noisy_machine.py) and five settings, of
which one is faster by a given share, or none.
"""

import argparse
from statistics import median

from mpsdoctor.tuning.candidates import Candidate
from mpsdoctor.tuning.measure import compare
from tests.benchmarks.machine import describe
from tests.support.noisy_machine import NOISES, NoisyMachine

ROUNDS = 24
SPEEDS = (1.0, 1.05, 1.1, 1.2)
NAMES = [
    Candidate((("attention", name), ("attention_budget", None), ("dtype", "float32")))
    for name in "ABCDE"
]


def line(noise: str, runs: int) -> str:
    """For each speed: claims that are right, claims that are wrong, and measurements."""
    cells = []
    for speed in SPEEDS:
        right = wrong = 0
        counts = []
        for seed in range(runs):
            machine = NoisyMachine(NOISES[noise], seed, {NAMES[1]: speed})
            found = compare(NAMES, ROUNDS, machine.measure, lambda: 0.0, lambda _line: None)
            is_right = speed > 1 and found.fastest == NAMES[1]
            right += is_right
            wrong += found.fastest is not None and not is_right
            counts.append(sum(map(len, found.rounds)))
        cells.append(f"{right} right, {wrong} wrong, {median(counts):.0f} measurements")
    return f"| {noise} | {' | '.join(cells)} |"


def main() -> None:
    """Prints a table for docs/measurements.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    print(describe())
    print(f"| noise | {' | '.join(f'{speed:.2f} times as fast' for speed in SPEEDS)} |")
    print(f"|---|{'---|' * len(SPEEDS)}")
    for noise in NOISES:
        print(line(noise, runs))


if __name__ == "__main__":
    main()
