"""Put the question to torch in a child process, and read the answer whatever becomes of it."""

import json
import signal
from pathlib import Path

from mpsdoctor.facts.command import CommandResult, Runner
from mpsdoctor.facts.model import ProbeOutcome, Torch

PROBE = Path(__file__).with_name("mps_probe.py")


def ask(run: Runner, executable: str, deadline: float) -> Torch:
    """What the torch of the Python `executable` says within `deadline` seconds."""
    result = run((executable, str(PROBE)), deadline)
    if result.timed_out:
        return Torch(outcome=ProbeOutcome.TIMED_OUT, error=f"no answer within {deadline:g} seconds")
    return _last_line(result) or Torch(outcome=ProbeOutcome.FAILED, error=_how_it_ended(result))


def _last_line(result: CommandResult) -> Torch | None:
    lines = result.stdout.strip().splitlines()
    try:
        return Torch.model_validate(json.loads(lines[-1])) if lines else None
    except ValueError:
        return None


def _how_it_ended(result: CommandResult) -> str:
    """Why there was no answer: the signal that ended the child, and its last words."""
    code = result.exit_code
    if code is None:
        ended = "Python could not be started"
    elif code < 0:
        ended = f"Python was ended by {_signal_name(-code)}"
    else:
        ended = f"Python ended with exit code {code}"
    said = result.stderr.strip().splitlines()
    return f"{ended}: {said[-1]}" if said else ended


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
