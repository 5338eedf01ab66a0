"""One command, with a deadline, and no exception."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from mpsdoctor.facts.command import CommandResult, run


def test_a_command_gives_its_output_and_exit_code() -> None:
    """Output, errors and exit code come back; nothing can be read from stdin."""
    script = "import sys; print(repr(sys.stdin.read())); print('no', file=sys.stderr); sys.exit(3)"
    assert CommandResult(3, "''\n", "no\n") == run((sys.executable, "-c", script), 30.0)


def test_what_the_user_types_is_not_for_the_command() -> None:
    """A command that asks a question gets no answer, and does not wait for one."""
    keyboard, typed = os.pipe()
    stdin = os.dup(0)
    try:
        os.write(typed, b"yes\n")
        os.dup2(keyboard, 0)
        assert run((sys.executable, "-c", "print(repr(input()))"), 30.0).exit_code == 1
    finally:
        os.dup2(stdin, 0)
        for descriptor in (keyboard, typed, stdin):
            os.close(descriptor)


def test_the_environment_can_be_replaced() -> None:
    """The command sees only `environ`."""
    assert run(("/usr/bin/env",), 30.0, {"COLOUR": "blue"}).stdout == "COLOUR=blue\n"


def test_a_missing_program_is_an_answer() -> None:
    """A missing program has no exit code, and an error message."""
    result = run(("/nonexistent/sw_vers",), 1.0)
    assert result.exit_code is None
    assert not result.timed_out
    assert "No such file" in result.stderr


def test_a_hanging_command_is_killed_with_its_children() -> None:
    """A grandchild that holds the output open does not keep the caller waiting."""
    started = time.monotonic()
    result = run(("/bin/sh", "-c", "echo started; sleep 60 & wait"), 0.5)
    assert CommandResult(None, "started\n", "", timed_out=True) == result
    assert time.monotonic() - started < 10


def test_a_signal_is_a_negative_exit_code() -> None:
    """Bytes that are not UTF-8 are replaced, not an error."""
    script = "import os, sys; os.write(1, b'\\xff'); sys.stdout.flush(); os.kill(os.getpid(), 15)"
    assert run((sys.executable, "-c", script), 30.0) == CommandResult(
        -15, "\N{REPLACEMENT CHARACTER}"
    )


@pytest.mark.parametrize("mode", [0o644, 0o755])
def test_a_file_that_cannot_be_run_is_an_answer(tmp_path: Path, mode: int) -> None:
    """Without permission, or in an unknown format."""
    program = tmp_path / "program"
    program.write_bytes(b"\x00\x01")
    program.chmod(mode)
    result = run((str(program),), 1.0)
    assert (result.exit_code, result.stdout, result.timed_out) == (None, "", False)
    assert str(program) in result.stderr


def test_an_interrupt_leaves_no_child_behind() -> None:
    """Ctrl-C ends the caller, and the command with its children."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    started = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            run(("/bin/sh", "-c", "sleep 61.25 & wait"), 60.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - started < 10
    running = [one.info["cmdline"] or () for one in psutil.process_iter(["cmdline"])]
    assert not any("61.25" in line for line in running)
