"""What a few steps with one profile took; no torch."""

from statistics import median

from mpsdoctor.records import Record


class Measurement(Record):
    """`step_seconds` are those of every step but the first. `problem` says why it does not count.

    `peak_bytes` is what the GPU held, None where that cannot be told; `swapped_bytes` what the
    machine wrote to swap meanwhile. `short_of_memory` is whether the problem is for want of memory.
    """

    step_seconds: tuple[float, ...] = ()
    peak_bytes: int | None = None
    swapped_bytes: int = 0
    problem: str = ""
    short_of_memory: bool = False

    @property
    def seconds(self) -> float:
        """Of a typical step; without one, more than any."""
        return median(self.step_seconds) if self.step_seconds else float("inf")
