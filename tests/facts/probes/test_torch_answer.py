"""The question to torch, with real child processes."""

import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.facts.collect import collect
from mpsdoctor.facts.command import CommandResult, run
from mpsdoctor.facts.probes.canaries import CANARIES
from mpsdoctor.facts.probes.torch_answer import PROBE, Answer, ask
from mpsdoctor.facts.records import Canary, CanaryStatus, ProbeOutcome, Torch
from mpsdoctor.knowledge.tolerances import judged_canaries

pytestmark = pytest.mark.heavy

DEADLINE = 60.0
NAMES = [canary.name for canary in CANARIES]
WITH_MPS = """
import os, sys, time, types
__version__ = "2.9.1"
yes = lambda: True
backends = types.SimpleNamespace(mps=types.SimpleNamespace(is_built=yes, is_available=yes))
class no_grad:
    def __enter__(self): print("Metal says hello")
    def __exit__(self, *error): sys.stdout.write("Metal says goodbye")
runs = []
def device(name):
    runs.append(name)
    if len(runs) == 3:
        print("{}", flush=True)
        THIRD
"""


def ask_stand_in(
    folder: Path,
    source: str,
    deadline: float = DEADLINE,
    canaries_on: Literal["mps", "cpu"] | None = None,
) -> Answer:
    """The answer of a `torch` package that consists of `source`."""
    (folder / "torch").mkdir()
    (folder / "torch" / "__init__.py").write_text(source, encoding="utf-8")
    environ = {**os.environ, "PYTHONPATH": str(folder)}
    return ask(partial(run, environ=environ), sys.executable, deadline, canaries_on)


def torch_of(answer: Answer) -> Torch:
    """What torch reported about itself."""
    assert answer.torch is not None
    return answer.torch


def canaries_of(answer: Answer) -> tuple[Canary, ...]:
    """The results of the canaries."""
    assert answer.canaries is not None
    return answer.canaries


def test_the_installed_torch_answers() -> None:
    """The torch of this environment reports its version and whether it has mps."""
    answer = torch_of(ask(run, sys.executable, DEADLINE))
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
    assert expected == torch_of(ask_stand_in(tmp_path, source))


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("raise ImportError('dlopen(libtorch_cpu.dylib): no')", "ImportError: dlopen(libtorch_cpu"),
        ("import numpy_that_is_not_there", "ModuleNotFoundError: No module named 'numpy_that"),
        ("import os; os.abort()", "Python was killed by SIGABRT"),
        ("raise SystemExit(7)", "SystemExit: 7"),
        ("", "AttributeError: module 'torch' has no attribute '__version__'"),
    ],
)
def test_a_broken_torch_has_failed(tmp_path: Path, source: str, error: str) -> None:
    """However the import ends, the answer says what happened."""
    answer = torch_of(ask_stand_in(tmp_path, source))
    assert answer.outcome is ProbeOutcome.FAILED
    assert answer.error is not None
    assert answer.error.startswith(error)


def test_a_torch_before_mps_answers(tmp_path: Path) -> None:
    """Without torch.backends.mps, mps is neither built in nor available."""
    answer = torch_of(ask_stand_in(tmp_path, "__version__ = '1.11.0'\nclass backends: pass"))
    assert answer.outcome is ProbeOutcome.ANSWERED
    assert answer.mps_built is False
    assert answer.mps_available is False


def test_a_hanging_torch_is_given_up(tmp_path: Path) -> None:
    """After the deadline the answer is that there was none."""
    answer = torch_of(ask_stand_in(tmp_path, "import time; time.sleep(60)", deadline=1.0))
    assert Torch(outcome=ProbeOutcome.TIMED_OUT, error="no answer within 1 seconds") == answer


def test_no_torch_is_missing() -> None:
    """A Python without torch says so."""

    def without_packages(argv: Sequence[str], timeout: float) -> CommandResult:
        return run((argv[0], "-S", *argv[1:]), timeout)

    answer = torch_of(ask(without_packages, sys.executable, DEADLINE))
    assert answer.outcome is ProbeOutcome.MISSING


def test_no_python_has_failed() -> None:
    """A Python that cannot be started is an answer too."""
    answer = torch_of(ask(run, "/nonexistent/python", DEADLINE))
    assert answer.outcome is ProbeOutcome.FAILED
    assert answer.error is not None
    assert "could not be started" in answer.error


def test_the_probe_is_older_than_this_package() -> None:
    """The probe compiles as Python 3.8, so that it can examine other environments."""
    import ast

    ast.parse(PROBE.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_every_canary_is_right_on_this_cpu() -> None:
    """If requested, all canaries run in the process that asks torch, in less than a second each."""
    facts = collect(canaries_on="cpu", torch_deadline=DEADLINE)
    assert facts.torch is not None
    assert facts.canaries is not None
    assert NAMES == [canary.name for canary in facts.canaries]
    assert {CanaryStatus.OK} == {canary.status for canary in judged_canaries(facts) or ()}
    for canary in facts.canaries:
        assert (CanaryStatus.COMPARED, "cpu") == (canary.status, canary.device), canary
        assert isinstance(canary.error, float)
        assert canary.precision is not None
        assert canary.seconds is not None
        assert canary.seconds < 1.0


@pytest.mark.skipif(sys.platform == "darwin", reason="there may be an mps device")
def test_without_mps_no_canary_runs() -> None:
    """Canaries for mps do not run on the CPU instead."""
    assert ask(run, sys.executable, DEADLINE, "mps").canaries is None


@pytest.mark.parametrize(
    ("third", "status", "detail", "deadline"),
    [
        ("os.abort()", CanaryStatus.CRASHED, "Python was killed by SIGABRT", DEADLINE),
        ("os._exit(7)", CanaryStatus.CRASHED, "Python ended with exit code 7", DEADLINE),
        ("time.sleep(60)", CanaryStatus.TIMED_OUT, "no answer within 2 seconds", 2.0),
    ],
)
def test_a_canary_that_ends_the_process_leaves_the_earlier_answers(
    tmp_path: Path, third: str, status: CanaryStatus, detail: str, deadline: float
) -> None:
    """Torch's answer and two canaries are kept, the third is named, and the others are skipped."""
    source = WITH_MPS.replace("THIRD", third)
    answer = ask_stand_in(tmp_path, source, deadline, canaries_on="mps")
    assert torch_of(answer).mps_available is True
    canaries = canaries_of(answer)
    assert NAMES == [canary.name for canary in canaries]
    assert canaries[2] == Canary(name=NAMES[2], status=status, detail=detail)
    assert {canary.status for canary in canaries[:2]} == {CanaryStatus.SKIPPED}
    assert all("no attribute" in canary.detail for canary in canaries[:2])
    for canary in canaries[3:]:
        assert (CanaryStatus.SKIPPED, None) == (canary.status, canary.seconds)
        assert canary.detail == f"not run: {NAMES[2]} {status.value}"


def said(*lines: str, **ended: bool) -> Answer:
    """The answer of a child that printed `lines`."""
    result = CommandResult(0, "\n".join(lines), timed_out=ended.get("timed_out", False))
    return ask(lambda argv, timeout: result, "python", 9.0, "mps")


ANSWERED = '{"outcome": "answered", "version": "2.14.0", "mps_built": true, "mps_available": true}'


@pytest.mark.parametrize(
    ("precision", "error", "status"),
    [
        ("float32", "0.02", CanaryStatus.COMPARED),
        ("float16", '"nan"', CanaryStatus.COMPARED),
        ("exact", "0.0", CanaryStatus.COMPARED),
        ("float32", "NaN", CanaryStatus.CRASHED),
        ("float8", "0.0", CanaryStatus.CRASHED),
        ("float32", "null", CanaryStatus.CRASHED),
    ],
)
def test_an_error_is_recorded_and_not_judged(
    precision: str, error: str, status: CanaryStatus
) -> None:
    """The error may have any size, and an unreadable line is ignored."""
    line = f'{{"canary": "x", "precision": "{precision}", "error": {error}, "seconds": 0.1}}'
    (canary,) = canaries_of(said(ANSWERED, '{"canaries": ["x"]}', line))
    assert status is canary.status


def test_a_process_that_ends_before_the_first_canary_leaves_none() -> None:
    """An empty result differs from canaries that were not requested."""
    assert () == said(ANSWERED).canaries
    assert (
        said(ANSWERED.replace('"mps_available": true', '"mps_available": false')).canaries is None
    )


def test_a_lost_line_does_not_take_the_later_ones_with_it() -> None:
    """Only the measurement that cannot be read is unknown."""
    measured = '{{"canary": "{}", "precision": "exact", "error": 0.0}}'
    lines = (ANSWERED, '{"canaries": ["a", "b", "c"]}', measured.format("a"), measured.format("c"))
    statuses = [canary.status for canary in canaries_of(said(*lines))]
    assert [CanaryStatus.COMPARED, CanaryStatus.CRASHED, CanaryStatus.COMPARED] == statuses


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["canary", "canaries", "precision", "error", "status", "outcome"]),
            inner,
        )
    ),
    max_leaves=8,
)


@given(noise=st.lists(st.text() | json_values.map(json.dumps), max_size=8), late=st.booleans())
def test_no_line_can_make_the_answer_fail(noise: list[str], late: bool) -> None:
    """Whatever is printed, there is an answer that can be written and read again."""
    answer = said(*noise, timed_out=late)
    assert msgspec.json.decode(msgspec.json.encode(torch_of(answer)), type=Torch) == answer.torch
    for canary in answer.canaries or ():
        assert msgspec.json.decode(msgspec.json.encode(canary), type=Canary) == canary


@given(noise=st.lists(st.text(alphabet=st.characters(exclude_characters="{")), max_size=8))
def test_noise_around_the_answers_changes_nothing(noise: list[str]) -> None:
    """Output of torch and Metal between the lines is ignored."""
    lines = [ANSWERED, '{"canaries": ["x"]}', '{"canary": "x", "precision": "exact", "error": 0}']
    mixed = [*noise, lines[0], *noise, lines[1], *noise, lines[2], *noise]
    assert said(*lines).canaries == said(*mixed).canaries
    assert said(*lines).torch == said(*mixed).torch
