"""The question to macOS's libraries, with real child processes."""

import sys
from collections.abc import Sequence

import pytest

from mpsdoctor.facts.command import CommandResult, run
from mpsdoctor.facts.probes.mac_answer import PROBE, MacAnswer, ask
from mpsdoctor.facts.records import ThermalState


def saying(stdout: str, exit_code: int = 0) -> MacAnswer:
    """The answer of a probe that ends after `stdout`."""

    def child(argv: Sequence[str], timeout: float) -> CommandResult:
        assert argv[-1] == str(PROBE)
        return CommandResult(exit_code, stdout)

    return ask(child, "/opt/python")


def test_the_probe_runs_here() -> None:
    """On a Mac every question is answered; elsewhere none is, and nothing fails."""
    answer = ask(run, sys.executable)
    if sys.platform == "darwin":
        assert answer.sandboxed is not None
        assert answer.thermal_state is not None
        assert answer.working_set_bytes is not None
    else:
        assert MacAnswer() == answer


def test_one_question_gets_one_answer() -> None:
    """The other questions are not asked, because Metal is slow."""
    answer = ask(run, sys.executable, "thermal_state")
    assert MacAnswer(thermal_state=answer.thermal_state) == answer
    assert (answer.thermal_state is None) == (sys.platform != "darwin")


def test_the_last_line_holds_all_answers() -> None:
    """Every later line repeats the earlier answers."""
    stdout = '{"sandboxed": false}\n{"sandboxed": false, "thermal_state": "serious"}\n'
    expected = MacAnswer(sandboxed=False, thermal_state=ThermalState.SERIOUS)
    assert expected == saying(stdout)


def test_a_probe_that_dies_keeps_what_it_said() -> None:
    """If a wrong call ends the child after its first answer, that answer counts."""
    assert MacAnswer(sandboxed=True) == saying('{"sandboxed": true}\n', exit_code=-11)


@pytest.mark.parametrize("stdout", ["", "no json", "[1]", '{"thermal_state": "molten"}'])
def test_no_answer_is_not_known(stdout: str) -> None:
    """Silence and nonsense leave everything unknown."""
    assert MacAnswer() == saying(stdout)


def test_a_python_that_cannot_start_answers_nothing() -> None:
    """A missing interpreter raises nothing."""
    assert MacAnswer() == ask(run, "/nonexistent/python")


def test_the_probe_is_older_than_this_package() -> None:
    """The probe compiles as Python 3.8, so that it can run in other environments."""
    import ast

    ast.parse(PROBE.read_text(encoding="utf-8"), feature_version=(3, 8))
