"""Measures candidates round by round, each time in a separate process, and watches memory."""

import json
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import ceil

from msgspec.structs import replace

from mpsdoctor.facts import child
from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.measurement import Measurement
from mpsdoctor.facts.memory_watch import MemoryWatch, watching
from mpsdoctor.facts.records import Pressure
from mpsdoctor.profile.choice import Value
from mpsdoctor.tuning import figures
from mpsdoctor.tuning.candidates import Candidate
from mpsdoctor.tuning.comparison import Comparison
from mpsdoctor.units import MIB, mib

Settings = Mapping[str, Value | dict[str, str]]
"""The keyword arguments of a `Profile`."""

_CHILD = "mpsdoctor.rendering.measure"
_SECONDS = 900.0
"""For loading a model and rendering a few steps, even if that swaps."""

_SWAPPED = 64 * MIB
"""Bytes that other programs may have written to swap meanwhile."""


def compare(
    candidates: Iterable[Candidate],
    most_rounds: int,
    measure: Callable[[Candidate], Measurement],
    clock: Callable[[], float],
    tell: Callable[[str], None],
) -> Comparison:
    """Measures until it is known which is the fastest, or for `most_rounds`.

    The first of the candidates are the current settings. `clock` gives seconds; `tell` takes a line
    of progress after each round.
    """
    comparison = Comparison(tuple(candidates), most_rounds)
    while not comparison.finished:
        began, order = clock(), comparison.next_round
        comparison = comparison.with_round({one: measure(one) for one in order})
        for line in _progress(comparison, order, clock() - began):
            tell(line)
    return comparison


def measure_settings(
    settings: Settings, steps: int, run: Runner, *, watch_memory: bool
) -> Measurement:
    """The time of `steps` steps of a picture, twice; `watch_memory` if macOS reports its memory.

    Raises MpsDoctorError if nothing can be measured: the libraries, the model or the device are
    missing.
    """
    if not watch_memory:
        return _judged(_render(settings, steps, run))
    with watching(run) as watch:
        measured = _render(settings, steps, run)
    return _judged(_with_watch(measured, watch))


def _progress(comparison: Comparison, measured: list[Candidate], seconds: float) -> Iterator[str]:
    racing = comparison.next_round
    for candidate in measured:
        if candidate not in racing:
            yield f"Dropped: {figures.line(comparison, candidate)}"
    if not comparison.finished:
        done, most = len(comparison.rounds), comparison.most_rounds
        left = ceil(seconds / len(measured) * len(racing) * (most - done) / 60)
        yield f"Round {done} of at most {most} is done. At most {left} min are left."


def _render(settings: Settings, steps: int, run: Runner) -> Measurement:
    """Runs in a separate process, which Metal may abort."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        file.write(json.dumps(settings))
        file.flush()
        result = child.run_module(run, _CHILD, file.name, str(steps), seconds=_SECONDS)
    return child.answer(result, Measurement) or Measurement(
        problem=child.how_it_ended(result, _SECONDS),
        short_of_memory=result.exit_code == -signal.SIGKILL,  # by jetsam, or the OOM killer
    )


def _with_watch(measured: Measurement, watch: MemoryWatch) -> Measurement:
    """The measurement with the kernel's count of swap, not trusted if memory was short.

    What psutil counts as swapped out on macOS are pages written to files (psutil/arch/osx/mem.c).
    """
    if watch.swapped_bytes is not None:
        measured = replace(measured, swapped_bytes=watch.swapped_bytes)
    if measured.problem or watch.pressure in (None, Pressure.NORMAL):
        return measured
    problem = f"not trusted: memory pressure was {watch.pressure.value} meanwhile"
    return replace(measured, problem=problem, short_of_memory=True)


def _judged(measured: Measurement) -> Measurement:
    """A measurement that swapped is a problem, however fast."""
    if measured.problem or measured.swapped_bytes <= _SWAPPED:
        return measured
    problem = f"not trusted: {mib(measured.swapped_bytes)} were swapped meanwhile"
    return replace(measured, problem=problem, short_of_memory=True)
