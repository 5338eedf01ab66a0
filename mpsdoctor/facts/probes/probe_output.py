"""What a probe in a child process leaves behind, whatever became of it."""

import signal

import msgspec

from mpsdoctor.facts.command import CommandResult


def objects(stdout: str) -> list[dict[str, object]]:
    """Every line that is a JSON object; libraries and Metal may have printed others."""
    found = []
    for line in stdout.split("\n"):
        try:
            value = msgspec.json.decode(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def how_it_ended(result: CommandResult, deadline: float) -> str:
    """Why there was no answer: the deadline or the signal, and the child's last words."""
    if result.timed_out:
        return f"no answer within {deadline:g} seconds"
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
