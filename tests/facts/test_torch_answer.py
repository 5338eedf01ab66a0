"""The question to torch, put to real child processes."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import metadata
from pathlib import Path

import pytest

from mpsdoctor.facts.command import CommandResult, run
from mpsdoctor.facts.model import ProbeOutcome, Torch
from mpsdoctor.facts.torch_answer import PROBE, ask

DEADLINE = 60.0


def ask_stand_in(folder: Path, source: str, deadline: float = DEADLINE) -> Torch:
    """The answer of a `torch` package that consists of `source`."""
    (folder / "torch").mkdir()
    (folder / "torch" / "__init__.py").write_text(source, encoding="utf-8")
    environ = {**os.environ, "PYTHONPATH": str(folder)}
    return ask(partial(run, environ=environ), sys.executable, deadline)


def test_the_installed_torch_answers() -> None:
    """The torch of this environment tells its version, and whether it has mps."""
    answer = ask(run, sys.executable, DEADLINE)
    assert answer.outcome is ProbeOutcome.ANSWERED
    assert answer.version == metadata.version("torch")
    assert answer.mps_built is (sys.platform == "darwin")
    assert answer.error is None


def test_a_torch_that_works_on_mps_answers_last(tmp_path: Path) -> None:
    """What torch prints, even while Python shuts down, does not hide the answer."""
    source = """
import atexit, sys, types
print("hello")
atexit.register(print, "goodbye")
__version__ = "2.9.1"
yes = lambda: True
backends = types.SimpleNamespace(mps=types.SimpleNamespace(is_built=yes, is_available=yes))
"""
    expected = Torch(
        outcome=ProbeOutcome.ANSWERED, version="2.9.1", mps_built=True, mps_available=True
    )
    assert expected == ask_stand_in(tmp_path, source)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("raise ImportError('dlopen(libtorch_cpu.dylib): no')", "ImportError: dlopen(libtorch_cpu"),
        ("import numpy_that_is_not_there", "ModuleNotFoundError: No module named 'numpy_that"),
        ("import os; os.abort()", "Python was ended by SIGABRT"),
        ("raise SystemExit(7)", "SystemExit: 7"),
        ("", "AttributeError: module 'torch' has no attribute '__version__'"),
    ],
)
def test_a_broken_torch_has_failed(tmp_path: Path, source: str, error: str) -> None:
    """Whatever becomes of the import, there is an answer that says what happened."""
    answer = ask_stand_in(tmp_path, source)
    assert answer.outcome is ProbeOutcome.FAILED
    assert answer.error is not None
    assert answer.error.startswith(error)


def test_a_torch_before_mps_answers(tmp_path: Path) -> None:
    """Without torch.backends.mps, mps is neither built in nor available."""
    answer = ask_stand_in(tmp_path, "__version__ = '1.11.0'\nclass backends: pass")
    assert answer.outcome is ProbeOutcome.ANSWERED
    assert answer.mps_built is False
    assert answer.mps_available is False


def test_a_hanging_torch_is_given_up(tmp_path: Path) -> None:
    """After the deadline the answer is that there was none."""
    answer = ask_stand_in(tmp_path, "import time; time.sleep(60)", deadline=1.0)
    assert Torch(outcome=ProbeOutcome.TIMED_OUT, error="no answer within 1 seconds") == answer


def test_no_torch_is_missing() -> None:
    """A Python without torch says so."""

    def without_packages(argv: Sequence[str], timeout: float) -> CommandResult:
        return run((argv[0], "-S", *argv[1:]), timeout)

    assert ask(without_packages, sys.executable, DEADLINE).outcome is ProbeOutcome.MISSING


def test_no_python_has_failed() -> None:
    """A Python that cannot be started is an answer too."""
    answer = ask(run, "/nonexistent/python", DEADLINE)
    assert answer.outcome is ProbeOutcome.FAILED
    assert answer.error is not None
    assert "could not be started" in answer.error


def test_the_probe_is_older_than_this_package() -> None:
    """The probe compiles as Python 3.8, so that it can examine other environments."""
    import ast

    ast.parse(PROBE.read_text(encoding="utf-8"), feature_version=(3, 8))
