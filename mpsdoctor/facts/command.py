"""Runs one command with a timeout and without exceptions; no other fact calls subprocess."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

_SECONDS_TO_DIE = 5.0


@dataclass(frozen=True)
class CommandResult:
    """The output of a command; `exit_code` is negative for a signal, None if there is none.

    There is none if the program could not be started (`stderr` says why), or was killed at its
    deadline (`timed_out`).
    """

    exit_code: int | None
    stdout: str = ""
    stderr: str = ""
    timed_out: bool = False


Runner: TypeAlias = Callable[[Sequence[str], float], CommandResult]


def run(
    argv: Sequence[str], timeout: float, environ: Mapping[str, str] | None = None
) -> CommandResult:
    """Runs `argv` without a shell or stdin, for at most `timeout` seconds.

    `environ` replaces the inherited environment. At the deadline the command is killed with its
    children, which could otherwise keep its output open forever.
    """
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        return CommandResult(exit_code=None, stderr=str(error))
    with process:
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            stdout, stderr = _kill(process)
            return CommandResult(None, stdout, stderr, timed_out=True)
        except BaseException:
            _kill(process)
            raise
    return CommandResult(process.returncode, stdout, stderr)


def _kill(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Kills the command's session and returns its output."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    try:
        return process.communicate(timeout=_SECONDS_TO_DIE)
    except subprocess.TimeoutExpired:
        return "", ""
