"""What macOS made of its memory while something else ran."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from mpsdoctor.facts import memory, sysctl
from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.records import Pressure

_SECONDS = 2.0
"""Between two looks: pressure that does not last as long does not slow a measurement."""

_ORDER = list(Pressure)


class MemoryWatch:
    """The highest pressure that was seen, and by how much the swap grew; None where not known."""

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._swap: list[int] = []
        self.pressure: Pressure | None = None

    @property
    def swapped_bytes(self) -> int | None:
        """More than at the first look. What was there before is nobody's fault."""
        return max(self._swap) - self._swap[0] if self._swap else None

    def look(self) -> None:
        """Once, with `sysctl`."""
        now = memory.read(sysctl.read(self._run))
        seen = [one for one in (self.pressure, now.pressure) if one is not None]
        self.pressure = max(seen, default=None, key=_ORDER.index)
        if now.swap_used_bytes is not None:
            self._swap.append(now.swap_used_bytes)


@contextmanager
def watching(run: Runner, seconds: float = _SECONDS) -> Iterator[MemoryWatch]:
    """Looks before, again every so many seconds, and after."""
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
