"""What a support module prints when it is run: shown with the test's output, `pytest -rP`."""

import subprocess
import sys
from pathlib import Path


def printed_by(module: str, *arguments: str) -> str:
    """Runs the module; fails with its last output if it fails."""
    ended = subprocess.run(
        [sys.executable, "-m", f"tests.support.{module}", *arguments],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-6000:]
    sys.stdout.write(ended.stdout)
    return ended.stdout
