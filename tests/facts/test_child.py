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
    ("source", "why"),
    [
        ("raise ValueError('no luck')", "Python ended with exit code 1: ValueError: no luck"),
        ("import os; os.abort()", "Python was killed by SIGABRT"),
        ('print(\'{"width": "wide"}\')', "Python ended with exit code 0"),
        ("import time; time.sleep(60)", "no answer within 1 seconds"),
    ],
)
def test_where_there_is_no_answer_its_end_says_why(source: str, why: str) -> None:
    """The reason is the timeout, the signal or the last line of stderr."""
    result = ended(source, 1.0 if "sleep" in source else 30.0)
    assert child.answer(result, Size) is None
    assert why == child.how_it_ended(result, 1.0)


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
    """Any output gives a reason and no exception."""
    result = CommandResult(1, stdout, stderr)
    assert child.answer(result, Size) is None
    assert child.how_it_ended(result, 1.0).startswith("Python ended")
    child.objects(stdout)
