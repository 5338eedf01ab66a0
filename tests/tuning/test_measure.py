"""What a process says of a candidate, and the rounds in which it is asked."""

import itertools
import signal
import sys
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.facts.measurement import Measurement
from mpsdoctor.tuning import figures
from mpsdoctor.tuning.candidates import Candidate
from mpsdoctor.tuning.measure import compare, measure_settings

NATIVE = Candidate((("attention", "native"), ("attention_budget", None), ("dtype", "float16")))
PIECES = Candidate((("attention", "bounded"), ("attention_budget", 256), ("dtype", "float16")))
RIGHT = Measurement(step_seconds=(1.0, 1.2, 1.1))


def answer(value: object) -> CommandResult:
    return CommandResult(0, f"A library's advice\n{msgspec.json.encode(value).decode()}\n")


class Machine:
    """Answers the process that renders, and `sysctl` with a level of pressure and MiB of swap."""

    def __init__(self, rendered: CommandResult, *kernel: tuple[int, int]) -> None:
        self.rendered = rendered
        self.kernel = list(kernel)

    def __call__(self, argv: Sequence[str], _timeout: float) -> CommandResult:
        if argv[0] == sys.executable:
            return self.rendered
        level, swap = self.kernel.pop(0) if len(self.kernel) > 1 else self.kernel[0]
        return CommandResult(
            0,
            f"vm.swapusage: total = 9000.00M  used = {swap}.00M  free = 0.00M\n"
            f"kern.memorystatus_vm_pressure_level: {level}\n",
        )


@pytest.mark.parametrize(
    ("rendered", "problem", "short_of_memory"),
    [
        (answer(RIGHT), "", False),
        (answer(Measurement(problem="computed NaN")), "computed NaN", False),
        (
            answer(msgspec.structs.replace(RIGHT, swapped_bytes=65 * 2**20)),
            "not trusted: 65 MiB were swapped meanwhile",
            True,
        ),
        (
            CommandResult(-signal.SIGABRT, "", "loading\nMetal aborted\n"),
            "Python was killed by SIGABRT: Metal aborted",
            False,
        ),
        (CommandResult(-signal.SIGKILL), "Python was killed by SIGKILL", True),
        (CommandResult(None, timed_out=True), "no answer within 900 seconds", False),
    ],
)
def test_a_process_gives_figures_or_a_problem(
    rendered: CommandResult, problem: str, short_of_memory: bool
) -> None:
    """However it ends, the other candidates are measured."""
    measured = measure_settings({}, 4, Machine(rendered), watch_memory=False)
    assert (problem, short_of_memory) == (measured.problem, measured.short_of_memory)


@pytest.mark.parametrize(
    ("kernel", "problem"),
    [
        ([(1, 500)], ""),
        ([(1, 500), (1, 560)], ""),
        ([(1, 500), (1, 600)], "not trusted: 100 MiB were swapped meanwhile"),
        ([(1, 500), (2, 500)], "not trusted: memory pressure was warning meanwhile"),
    ],
)
def test_a_figure_from_while_memory_was_short_does_not_count(
    kernel: list[tuple[int, int]], problem: str
) -> None:
    """What had been swapped before is nobody's fault."""
    measured = measure_settings({}, 4, Machine(answer(RIGHT), *kernel), watch_memory=True)
    assert (problem, bool(problem)) == (measured.problem, measured.short_of_memory)


def test_what_no_candidate_can_help_ends_the_measuring() -> None:
    """Such as a model that is not on this disk."""
    rendered = answer(("The model cannot be loaded", "It is not here.", "mpsdoctor pull"))
    with pytest.raises(MpsDoctorError, match="The model cannot be loaded") as caught:
        measure_settings({}, 4, Machine(rendered), watch_memory=False)
    assert ("It is not here.", "mpsdoctor pull") == (caught.value.detail, caught.value.hint)


OUTCOMES = st.one_of(
    st.floats(0.5, 2).map(lambda seconds: Measurement(step_seconds=(seconds,))),
    st.just(Measurement(problem="computed NaN")),
    st.just(Measurement(problem="memory pressure was warning", short_of_memory=True)),
)


@given(
    st.lists(OUTCOMES, min_size=1, max_size=40),
    st.integers(1, 4),
    st.integers(10, 12),
    st.booleans(),
)
def test_measuring_ends_with_something_to_say_whatever_is_measured(
    outcomes: list[Measurement], count: int, most_rounds: int, steady: bool
) -> None:
    """What is faster, what works, or that nothing does; each candidate has its line."""
    names = [
        Candidate((("attention", "bounded"), ("attention_budget", 2**n), ("dtype", "float16")))
        for n in range(count)
    ]
    by_name = dict(zip(names, itertools.cycle(outcomes), strict=False))
    in_turn = itertools.cycle(outcomes)

    comparison = compare(
        names,
        most_rounds,
        lambda name: by_name[name] if steady else next(in_turn),
        lambda: 0.0,
        lambda _line: None,
    )

    assert len(comparison.rounds) <= most_rounds
    assert all(figures.line(comparison, name).startswith(str(name)) for name in names)
    reference = comparison.reference
    if reference is None:
        assert all(comparison.problem(name) for name in names)
    else:
        assert str(reference) in figures.verdict(comparison)


def test_each_round_says_what_was_dropped_and_how_long_it_may_still_take() -> None:
    """From the time of the round before, for the candidates that are left."""
    now, told = [0.0], list[str]()

    def measure(candidate: Candidate) -> Measurement:
        now[0] += 60
        return RIGHT if candidate == NATIVE else Measurement(step_seconds=(0.9,))

    slow = Candidate((("attention", "bounded"), ("attention_budget", 64), ("dtype", "float16")))

    def measure_or_fail(candidate: Candidate) -> Measurement:
        measured = measure(candidate)
        return Measurement(problem="computed NaN") if candidate == slow else measured

    comparison = compare([NATIVE, PIECES, slow], 20, measure_or_fail, lambda: now[0], told.append)

    assert PIECES == comparison.fastest
    assert told[:3] == [
        "Dropped: bounded attention, 64 MiB, float16: computed NaN",
        "Round 1 of at most 20 is done. At most 38 min are left.",
        "Round 2 of at most 20 is done. At most 36 min are left.",
    ]
    assert len(told) == len(comparison.rounds)
