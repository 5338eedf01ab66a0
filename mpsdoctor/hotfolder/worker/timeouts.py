"""How long the worker may be silent in each phase. Pure.

Only reports from the denoising loop count as progress. A thread that sends heartbeats would
continue while another waits for a GPU that never answers (pytorch #144634, #162874).
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from mpsdoctor.rendering.protocol import RenderJob, Started, Step


class Phase(Enum):
    """What a worker is doing, worded to follow "The worker hung"."""

    LOAD = "while it loaded the model"
    FIRST_STEP = "while it prepared the first step"
    STEP = "while it denoised"
    SAVE = "while it decoded and saved the picture"


@dataclass(frozen=True)
class Timeouts:
    """Seconds of silence after which a worker counts as hung.

    In the first step, Metal compiles its shaders. A later step may take `step`, or `slowdown` times
    the median of the picture's steps if that is longer. The same holds for decoding and saving.
    """

    load: float = 900.0
    first_step: float = 600.0
    step: float = 30.0
    save: float = 300.0
    slowdown: float = 10.0

    def seconds(self, phase: Phase, step_seconds: Sequence[float]) -> float:
        """`step_seconds` has the duration of each step of this picture, including the first."""
        typical = self.slowdown * statistics.median(step_seconds) if step_seconds else 0.0
        match phase:
            case Phase.LOAD:
                return self.load
            case Phase.FIRST_STEP:
                return self.first_step
            case Phase.STEP:
                return max(self.step, typical)
            case Phase.SAVE:
                return max(self.save, typical)


@dataclass
class Timing:
    """The phase of `job`'s picture; `since` is when it began, in seconds."""

    job: RenderJob
    since: float
    phase: Phase = Phase.FIRST_STEP
    step_seconds: list[float] = field(default_factory=list)

    def note(self, message: Started | Step, now: float) -> None:
        """Notes progress; a picture that is started again begins at the first phase."""
        if isinstance(message, Started):
            self.phase = Phase.FIRST_STEP
            self.step_seconds.clear()
        else:
            self.phase = Phase.SAVE if message.step >= message.steps else Phase.STEP
            self.step_seconds.append(now - self.since)
        self.since = now

    def deadline(self, timeouts: Timeouts) -> float:
        """When the worker counts as hung."""
        return self.since + timeouts.seconds(self.phase, self.step_seconds)
