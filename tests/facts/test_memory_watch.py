"""Memory while something runs, from a stand-in for `sysctl`."""

import threading
from collections.abc import Sequence

import pytest

from mpsdoctor.facts.command import CommandResult
from mpsdoctor.facts.memory_watch import watching
from mpsdoctor.facts.records import Pressure


class Kernel:
    """Answers each reading with the next pair of level and MiB of swap, then with the last."""

    def __init__(self, *answers: tuple[int, int]) -> None:
        self.answers = list(answers)
        self.asked_out = threading.Event()

    def __call__(self, _argv: Sequence[str], _timeout: float) -> CommandResult:
        level, swap = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if len(self.answers) == 1:
            self.asked_out.set()
        return CommandResult(
            0,
            f"vm.swapusage: total = 9000.00M  used = {swap}.00M  free = 0.00M\n"
            f"kern.memorystatus_vm_pressure_level: {level}\n",
        )


def test_what_has_passed_before_the_end_is_remembered() -> None:
    """Pressure and swap count even if they are gone at the end."""
    kernel = Kernel((1, 100), (4, 700), (2, 300), (1, 100))
    with watching(kernel, seconds=0.01) as watch:
        assert kernel.asked_out.wait(10)
    assert (Pressure.CRITICAL, 600 * 2**20) == (watch.pressure, watch.swapped_bytes)


def test_there_is_a_look_before_and_one_after() -> None:
    """There are two readings, however short the time between them."""
    with watching(Kernel((1, 5), (2, 6))) as watch:
        assert watch.pressure is Pressure.NORMAL
    assert (Pressure.WARNING, 2**20) == (watch.pressure, watch.swapped_bytes)


def test_only_growth_since_the_first_reading_counts() -> None:
    """Swap that shrinks is not negative, the highest pressure stays, and errors end the watch."""
    kernel = Kernel((4, 700), (2, 300), (1, 100))
    watched = None

    def fail() -> None:
        nonlocal watched
        with watching(kernel) as watched:
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert watched is not None
    assert (Pressure.CRITICAL, 0) == (watched.pressure, watched.swapped_bytes)
    assert [(1, 100)] == kernel.answers


def test_silence_is_not_known() -> None:
    """Without an answer from the kernel, nothing is known."""
    with watching(lambda _argv, _timeout: CommandResult(None)) as watch:
        pass
    assert (None, None) == (watch.pressure, watch.swapped_bytes)
