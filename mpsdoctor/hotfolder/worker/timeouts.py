"""How long the worker may take for what, in which nothing is heard of it; pure.

Only what the denoising itself reports counts as progress: a thread that sends heartbeats goes on
while another waits for a GPU that never answers (pytorch #144634, #162874).
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from mpsdoctor.rendering.protocol import RenderJob, Started, Step


class Phase(Enum):
    """What a worker is about, as a user reads it after "the worker hung"."""

    LOAD = "while it loaded the model"
    FIRST_STEP = "while it prepared the first step"
    STEP = "while it denoised"
    SAVE = "while it decoded and saved the picture"


@dataclass(frozen=True)
class Timeouts:
    """Seconds of silence after which a worker is taken to hang.

    The first step has Metal compile its shaders. A later step may take `step`, or as many times
    the median of the picture's steps as `slowdown` says; decoding and saving likewise.
    """

    load: float = 900.0
    first_step: float = 600.0
    step: float = 30.0
    save: float = 300.0
    slowdown: float = 10.0

    def seconds(self, phase: Phase, step_seconds: Sequence[float]) -> float:
        """`step_seconds`: how long each step of this picture took, the first included."""
        usual = self.slowdown * statistics.median(step_seconds) if step_seconds else 0.0
        match phase:
            case Phase.LOAD:
                return self.load
            case Phase.FIRST_STEP:
                return self.first_step
            case Phase.STEP:
                return max(self.step, usual)
            case Phase.SAVE:
                return max(self.save, usual)


@dataclass
class Timing:
    """How far the picture of `job` is; `since`, in seconds, is when it got there."""

    job: RenderJob
    since: float
    phase: Phase = Phase.FIRST_STEP
    step_seconds: list[float] = field(default_factory=list)

    def note(self, message: Started | Step, now: float) -> None:
        """A picture that is begun again starts from the beginning."""
        if isinstance(message, Started):
            self.phase = Phase.FIRST_STEP
            self.step_seconds.clear()
        else:
            self.phase = Phase.SAVE if message.step >= message.steps else Phase.STEP
            self.step_seconds.append(now - self.since)
        self.since = now

    def deadline(self, timeouts: Timeouts) -> float:
        """When to take it for hung."""
        return self.since + timeouts.seconds(self.phase, self.step_seconds)
