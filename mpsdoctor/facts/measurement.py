"""The time and memory of a few steps with one profile; no torch."""

from statistics import median

from mpsdoctor.records import Record


class Measurement(Record):
    """`step_seconds` has every step except the first. `problem` says why the result does not count.

    `peak_bytes` is the GPU's peak memory, None if unknown. `swapped_bytes` is what the machine
    wrote to swap meanwhile. `short_of_memory` says whether the problem is a lack of memory.
    """

    step_seconds: tuple[float, ...] = ()
    peak_bytes: int | None = None
    swapped_bytes: int = 0
    problem: str = ""
    short_of_memory: bool = False

    @property
    def seconds(self) -> float:
        """The time of a typical step; infinite if there is none."""
        return median(self.step_seconds) if self.step_seconds else float("inf")
