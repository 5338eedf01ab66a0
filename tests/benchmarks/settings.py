"""How long the settings of another model take: `python -m tests.benchmarks.settings`.

Writes a profile for `shapes` and its facts into a temporary folder, then asks for the settings of
models in new processes: what the process takes in all, and what tuning takes in it. They are tuned
for mps, as on a Mac. A folder with a model that nobody knows is traced the first time.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.machine import describe
from tests.support.pipelines import stable_diffusion

ROUNDS = 7
MODELS = (
    "stabilityai/stable-diffusion-xl-base-1.0",
    "black-forest-labs/FLUX.1-dev",
    "Qwen/Qwen-Image",
)
PROGRAM = """
import json, sys, time
from pathlib import Path
from mpsdoctor.cli.settings import Settings
began = time.perf_counter()
profile = Settings(Path(sys.argv[1])).of(sys.argv[2])
print(json.dumps([time.perf_counter() - began, profile.dtype]))
"""


def ask(path: Path, model: str) -> tuple[float, float]:
    """Seconds of the whole process, and of tuning in it."""
    began = time.perf_counter()
    command = [sys.executable, "-c", PROGRAM, str(path), model]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return time.perf_counter() - began, json.loads(said)[0]


def main() -> None:
    """Prints a line a model."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        os.environ.update(HOME=folder, XDG_CACHE_HOME=f"{folder}/cache")
        stable_diffusion(home / "tokenizer").save_pretrained(home / "unknown")
        profile = home / "profile.toml"
        check = [sys.executable, "-m", "mpsdoctor", "check", "--profile", str(profile)]
        subprocess.run(check, capture_output=True, check=False)
        os.environ["MPSDOCTOR_DEVICE"] = "mps"
        print(describe())
        for model in (*MODELS, str(home / "unknown")):
            first, *others = (ask(profile, model) for _ in range(ROUNDS + 1))
            whole, tuning = zip(*others, strict=True)
            print(
                f"{Path(model).name}: first {first[0]:.2f} s, {first[1]:.3f} s of it tuning; then "
                f"{statistics.median(whole):.2f} s ({min(whole):.2f} to {max(whole):.2f}), "
                f"{statistics.median(tuning):.3f} s ({min(tuning):.3f} to {max(tuning):.3f})"
            )


if __name__ == "__main__":
    main()
