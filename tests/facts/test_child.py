"""Questions to a child process, whatever else it prints and however it ends."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts import child
from mpsdoctor.facts.command import CommandResult, run
from mpsdoctor.records import Record

REPLY = "from mpsdoctor.facts.child import reply; from mpsdoctor.errors import MpsDoctorError; "


class Size(Record):
    """What is asked for."""

    width: int


def ended(source: str, seconds: float = 30.0) -> CommandResult:
    """A child that ran `source`."""
    return run((sys.executable, "-c", source), seconds)


@pytest.mark.parametrize(
    "noise",
    ["print('Metal says hello', end='')", "print('[1, 2]')", "print('{}')", "print('[]')"],
)
def test_an_answer_is_found_among_what_libraries_print(noise: str) -> None:
    """The output may come before and after the answer, even on an open line."""
    assert Size(width=3) == child.answer(
        ended(f"{REPLY}{noise}; reply({{'width': 3}}); {noise}"), Size
    )
    assert [1] == child.answer(ended(f"{REPLY}print('hello', end=''); reply([1])"), list[int])


def test_an_error_of_the_child_is_raised_here() -> None:
    """The error keeps its title, detail and hint."""
    source = f"{REPLY}reply(MpsDoctorError('No', detail='why', hint='what'))"
    with pytest.raises(MpsDoctorError, match="No") as raised:
        child.answer(ended(source), Size)
    assert ("No", "why", "what") == (raised.value.title, raised.value.detail, raised.value.hint)


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (CommandResult(None, timed_out=True), "no answer within 1.5 seconds"),
        (CommandResult(None, stderr="ignored", timed_out=True), "no answer within 1.5 seconds"),
        (CommandResult(None, stderr="No such file"), "Python could not be started: No such file"),
        (CommandResult(0), "Python ended with exit code 0"),
        (
            CommandResult(1, stderr="Traceback:\n  line\nValueError: no luck\n\n"),
            "Python ended with exit code 1: ValueError: no luck",
        ),
        (CommandResult(-6), "Python was killed by SIGABRT"),
        (CommandResult(-9, stderr="Metal aborted"), "Python was killed by SIGKILL: Metal aborted"),
        (CommandResult(-999), "Python was killed by signal 999"),
    ],
)
def test_where_there_is_no_answer_its_end_says_why(result: CommandResult, why: str) -> None:
    """The reason is the timeout, the signal or the last line of stderr."""
    assert child.answer(result, Size) is None
    assert child.how_it_ended(result, 1.5) == why


def test_the_end_of_a_real_child_is_known() -> None:
    """A signal that ends Python is named."""
    result = ended("import os; os.abort()")
    assert child.how_it_ended(result, 1.0) == "Python was killed by SIGABRT"


DEEP = '{"a":' * 100_000


@pytest.mark.parametrize(
    ("stdout", "answer"),
    [
        ('{"width": 1}\n{"width": 2}\nnoise\n', Size(width=2)),
        ('{"width": "wide"}\n{"width": 1', None),
        (f'{{"width": 1}}\n{DEEP}\n', Size(width=1)),
        ("", None),
    ],
)
def test_the_last_line_of_the_right_kind_is_the_answer(stdout: str, answer: Size | None) -> None:
    """Lines that are not JSON, of another kind or nested too deeply are ignored."""
    assert child.answer(CommandResult(0, stdout), Size) == answer


def test_a_child_that_reports_as_it_goes_gives_all_its_objects() -> None:
    """Every line that is an object counts, in order; a line ends with a newline only."""
    stdout = f'{{"a": 1}}\nnoise\n[1]\n{DEEP}\n{{"b": "\u2028"}}\r\n\n{{}}'
    assert child.objects(stdout) == [{"a": 1}, {"b": "\u2028"}, {}]


def test_a_module_is_run_by_this_python(tmp_path: Path) -> None:
    """The arguments follow the module's name."""
    asked = []

    def note(argv: object, timeout: float) -> CommandResult:
        asked.append((argv, timeout))
        return CommandResult(0)

    child.run_module(note, "a.b", "c", str(tmp_path), seconds=2.0)
    assert [((sys.executable, "-m", "a.b", "c", str(tmp_path)), 2.0)] == asked


@given(st.text(), st.text())
def test_no_output_can_make_the_reader_fail(stdout: str, stderr: str) -> None:
    """Any output gives a reason and no exception, and does not hide an answer."""
    result = CommandResult(1, f'{stdout}\n{{"width": 7}}\n', stderr)
    assert child.answer(result, Size) == Size(width=7)
    assert child.how_it_ended(result, 1.0).startswith("Python ended with exit code 1")
    assert child.objects(result.stdout)[-1] == {"width": 7}
