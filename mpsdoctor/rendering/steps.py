"""Which steps of the denoising are told, so that what is told has been done."""

import time
from collections.abc import Callable

import torch

OnStep = Callable[[int, int], None]
"""Called with the number of the step that is done (1-based) and of all steps."""

Wait = Callable[[], None]
"""Returns when the device has done what it was given."""

_EVERY_S = 0.5


def wait_for(device: str) -> Wait | None:
    """None for a device that is done when a call returns; mps has only been told to do it then."""
    return torch.mps.synchronize if device == "mps" else None


class StepTeller:
    """Tells `on_step` of the first two steps, the last one, and others about every half second.

    A device that works by itself is waited for before it is spoken of, except for the last step:
    it stands still meanwhile, which costs more than it tells where steps are short. Without a
    `wait` every step is told.
    """

    def __init__(
        self, on_step: OnStep, wait: Wait | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._on_step = on_step
        self._wait = wait
        self._clock = clock
        self._told = 0
        self._told_at = clock()
        self._next = 1

    def given(self, step: int, steps: int) -> None:
        """Step `step` of `steps` (1-based) has been given to the device."""
        if step < min(self._next, steps):
            return
        if self._wait:
            if step < steps:
                self._wait()
            self._plan(step, steps)
        self._on_step(step, steps)

    def _plan(self, step: int, steps: int) -> None:
        """In the first step shaders are compiled, so the second one is told too."""
        now = self._clock()
        a_step = (now - self._told_at) / (step - self._told)
        ahead = min(_EVERY_S / a_step, steps) if a_step > 0 and self._told else 1
        self._told, self._told_at = step, now
        self._next = step + max(int(ahead), 1)
