"""One command, with a deadline, and no exception."""

import sys
import time

from mpsdoctor.facts.command import CommandResult, run


def test_a_command_gives_its_output_and_exit_code() -> None:
    """Output, errors and exit code come back; nothing can be read from stdin."""
    script = "import sys; print(repr(sys.stdin.read())); print('no', file=sys.stderr); sys.exit(3)"
    assert CommandResult(3, "''\n", "no\n") == run((sys.executable, "-c", script), 30.0)


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
