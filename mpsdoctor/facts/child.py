"""Questions to a Python in a child process, which answers in JSON; both ends of the line.

Libraries and Metal print to stdout too, before the answer and after it, and either may end the
process before there is one.
"""

import signal
import sys
from typing import TypeVar

import msgspec

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.command import CommandResult, Runner

T = TypeVar("T")


def run_module(run: Runner, module: str, *arguments: str, seconds: float) -> CommandResult:
    """`python -m MODULE ARGUMENTS`, with the Python that runs this."""
    return run((sys.executable, "-m", module, *arguments), seconds)


def reply(value: object) -> None:
    """Prints the child's answer, a value that msgspec can write or the error that prevented it.

    On a line of its own, as a library may have left one open.
    """
    if isinstance(value, MpsDoctorError):
        value = (value.title, value.detail, value.hint)
    sys.stdout.write(f"\n{msgspec.json.encode(value).decode()}\n")
    sys.stdout.flush()


def answer(result: CommandResult, kind: type[T]) -> T | None:
    """The last line of stdout that is a `kind`; None where there is none.

    Raises MpsDoctorError where that is what the child replied.
    """
    for line in reversed(result.stdout.splitlines()):
        if (found := _decode(line, kind)) is not None:
            return found
        if error := _decode(line, tuple[str, str, str]):
            title, detail, hint = error
            raise MpsDoctorError(title, detail=detail, hint=hint)
    return None


def objects(stdout: str) -> list[dict[str, object]]:
    """Every line that is a JSON object, of a child that reports as it goes."""
    lines = (_decode(line, dict[str, object]) for line in stdout.split("\n"))
    return [found for found in lines if found is not None]


def how_it_ended(result: CommandResult, seconds: float) -> str:
    """Why there was no answer within `seconds`, with the child's last words."""
    if result.timed_out:
        return f"no answer within {seconds:g} seconds"
    code = result.exit_code
    if code is None:
        ended = "Python could not be started"
    elif code < 0:
        ended = f"Python was ended by {_signal_name(-code)}"
    else:
        ended = f"Python ended with exit code {code}"
    said = last_words(result)
    return f"{ended}: {said}" if said else ended


def last_words(result: CommandResult) -> str:
    """The last line of stderr, which of an exception is its message."""
    said = result.stderr.strip().splitlines()
    return said[-1] if said else ""


def _decode(line: str, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(line, type=kind)
    except (ValueError, RecursionError):
        return None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
