"""How long an examination takes, beside what others have: `python -m tests.benchmarks.doctors`."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.machine import describe

RUNS = 9
BIN = Path(sys.executable).parent
CHECK = (sys.executable, "-m", "mpsdoctor", "check")
IMPORT = 'python -c "import torch"'
QUICK = "mpsdoctor check --quick"
COMMANDS: dict[str, Sequence[str]] = {
    QUICK: (*CHECK, "--quick"),
    "python -m torch.utils.collect_env": (sys.executable, "-m", "torch.utils.collect_env"),
    "accelerate env": (f"{BIN}/accelerate", "env"),
    "transformers env": (f"{BIN}/transformers", "env"),
    "diffusers-cli env": (f"{BIN}/diffusers-cli", "env"),
    IMPORT: (sys.executable, "-c", "import torch"),
    "mpsdoctor check": CHECK,
}


def seconds(command: Sequence[str], home: Path) -> float:
    """Wall time of one whole process, without a network."""
    environ = os.environ | {"HOME": str(home), "HF_HUB_OFFLINE": "1"}
    environ.pop("MPSDOCTOR_PROFILE_FILE", None)
    started = time.monotonic()
    subprocess.run(command, cwd=home, env=environ, capture_output=True, check=False)
    return time.monotonic() - started


def main() -> None:
    """Takes the commands in turn, after one round that warms the disk's cache."""
    with tempfile.TemporaryDirectory() as folder:
        rounds = [
            {name: seconds(command, Path(folder)) for name, command in COMMANDS.items()}
            for _ in range(RUNS + 1)
        ][1:]
    medians = {name: statistics.median(run[name] for run in rounds) for name in COMMANDS}
    print(describe())
    print("\n| command | median s | min | max | to `check --quick` | to `import torch` |")
    print("|---|---|---|---|---|---|")
    for name, median in medians.items():
        times = [run[name] for run in rounds]
        print(
            f"| `{name}` | {median:.2f} | {min(times):.2f} | {max(times):.2f} "
            f"| {median / medians[QUICK]:.1f} | {median / medians[IMPORT]:.2f} |"
        )


if __name__ == "__main__":
    main()
