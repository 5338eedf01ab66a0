"""Reports denoising steps, and only steps that the device has finished."""

import time
from collections.abc import Callable

import torch

OnStep = Callable[[int, int], None]
"""Called with the number of the step that is done (1-based) and of all steps."""

Wait = Callable[[], None]
"""Returns when the device has done what it was given."""

_EVERY_S = 0.5


def wait_for(device: str) -> Wait | None:
    """None for a device that has finished when a call returns; mps works asynchronously."""
    return torch.mps.synchronize if device == "mps" else None


class StepReporter:
    """Reports to `on_step` the first two steps, the last one, and others every half second or so.

    `wait` returns when an asynchronous device has finished, and is called before each report except
    the last. The device idles meanwhile, which would be costly after each short step. Without
    `wait`, every step is reported.
    """

    def __init__(
        self, on_step: OnStep, wait: Wait | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._on_step = on_step
        self._wait = wait
        self._clock = clock
        self._reported = 0
        self._reported_at = clock()
        self._next = 1

    def submitted(self, step: int, steps: int) -> None:
        """Notes that step `step` of `steps` (1-based) was submitted to the device."""
        if step < min(self._next, steps):
            return
        if self._wait:
            if step < steps:
                self._wait()
            self._plan(step, steps)
        self._on_step(step, steps)

    def _plan(self, step: int, steps: int) -> None:
        """The first step compiles shaders, so the second one is reported too."""
        now = self._clock()
        a_step = (now - self._reported_at) / (step - self._reported)
        ahead = min(_EVERY_S / a_step, steps) if a_step > 0 and self._reported else 1
        self._reported, self._reported_at = step, now
        self._next = step + max(int(ahead), 1)
