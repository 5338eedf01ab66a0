"""How long a newcomer's first commands take: `python -m tests.benchmarks.first_steps`."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.machine import describe

RUNS = 5
COMMANDS = {
    "mpsdoctor --help": ["--help"],
    "mpsdoctor check": ["check"],
    "mpsdoctor render PROMPT": ["render", "a red circle on a white background", "--seed", "1"],
    "mpsdoctor demo": ["demo"],
}


def seconds(arguments: Sequence[str], home: Path) -> float:
    """Wall time of one whole process, in a home that has a profile already."""
    started = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "mpsdoctor", *arguments],
        cwd=home,
        env=os.environ | {"MPSDOCTOR_PROFILE_FILE": str(home / "profile.toml")},
        capture_output=True,
        check=False,
    )
    return time.monotonic() - started


def main() -> None:
    """Takes the commands in turn, so that a slow moment of the machine meets them all."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        seconds(["check"], home)
        rounds = [
            {name: seconds(arguments, home) for name, arguments in COMMANDS.items()}
            for _ in range(RUNS)
        ]
    print(describe())
    print("\n| command | median s | min | max |\n|---|---|---|---|")
    for name in COMMANDS:
        times = [run[name] for run in rounds]
        print(
            f"| `{name}` | {statistics.median(times):.2f} | {min(times):.2f} | {max(times):.2f} |"
        )


if __name__ == "__main__":
    main()
