"""Both ends of a conversation with a Python in a child process, which answers in JSON.

Libraries and Metal also print to stdout, before the answer and after it. Either of them may end the
process before it answers.
"""

import signal
import sys
from typing import TypeVar

import msgspec

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.command import CommandResult, Runner

T = TypeVar("T")


def run_module(run: Runner, module: str, *arguments: str, seconds: float) -> CommandResult:
    """Runs `python -m MODULE ARGUMENTS` with this process's Python."""
    return run((sys.executable, "-m", module, *arguments), seconds)


def reply(value: object) -> None:
    """Prints the child's answer: a value that msgspec can encode, or the error that prevented it.

    The answer gets its own line, because a library may have left a line open.
    """
    if isinstance(value, MpsDoctorError):
        value = (value.title, value.detail, value.hint)
    sys.stdout.write(f"\n{msgspec.json.encode(value).decode()}\n")
    sys.stdout.flush()


def answer(result: CommandResult, kind: type[T]) -> T | None:
    """The last line of stdout that is a `kind`; None if there is no such line.

    Raises MpsDoctorError if the child replied with one.
    """
    for line in reversed(result.stdout.splitlines()):
        if (found := _decode(line, kind)) is not None:
            return found
        if error := _decode(line, tuple[str, str, str]):
            title, detail, hint = error
            raise MpsDoctorError(title, detail=detail, hint=hint)
    return None


def objects(stdout: str) -> list[dict[str, object]]:
    """Every line that is a JSON object, from a child that reports its progress."""
    lines = (_decode(line, dict[str, object]) for line in stdout.split("\n"))
    return [found for found in lines if found is not None]


def how_it_ended(result: CommandResult, seconds: float) -> str:
    """Why there was no answer within `seconds`, with the child's last line of stderr."""
    if result.timed_out:
        return f"no answer within {seconds:g} seconds"
    code = result.exit_code
    if code is None:
        ended = "Python could not be started"
    elif code < 0:
        ended = f"Python was killed by {_signal_name(-code)}"
    else:
        ended = f"Python ended with exit code {code}"
    said = last_words(result)
    return f"{ended}: {said}" if said else ended


def last_words(result: CommandResult) -> str:
    """The last line of stderr; after an exception, that is its message."""
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
