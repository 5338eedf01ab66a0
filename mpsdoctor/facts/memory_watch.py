"""Memory pressure and swap while something else runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from mpsdoctor.facts import memory, sysctl
from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.records import Pressure

_SECONDS = 2.0
"""The time between two readings. Shorter periods of pressure do not slow a measurement."""

_ORDER = list(Pressure)


class MemoryWatch:
    """The highest pressure that was seen, and the growth of swap; None if unknown."""

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._swap: list[int] = []
        self.pressure: Pressure | None = None

    @property
    def swapped_bytes(self) -> int | None:
        """The growth since the first reading; earlier swap does not count."""
        return max(self._swap) - self._swap[0] if self._swap else None

    def look(self) -> None:
        """Reads the memory once, with `sysctl`."""
        now = memory.read(sysctl.read(self._run))
        seen = [one for one in (self.pressure, now.pressure) if one is not None]
        self.pressure = max(seen, default=None, key=_ORDER.index)
        if now.swap_used_bytes is not None:
            self._swap.append(now.swap_used_bytes)


@contextmanager
def watching(run: Runner, seconds: float = _SECONDS) -> Iterator[MemoryWatch]:
    """Reads the memory before, every `seconds`, and after."""
    watch, over = MemoryWatch(run), Event()

    def look_again() -> None:
        while not over.wait(seconds):
            watch.look()

    watch.look()
    thread = Thread(target=look_again, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()
        watch.look()
