"""Render a few steps with one profile: `python -m mpsdoctor.rendering.measure PROFILE.json STEPS`.

A process of its own, as what is measured can end it. Replies with a Measurement.
"""

import itertools
import json
import os
import sys
import time
from pathlib import Path

import psutil

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.child import reply
from mpsdoctor.facts.measurement import Measurement
from mpsdoctor.libraries import require_quiet_libraries
from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.explanations import explain

REQUEST = Request(prompt="a photo of an astronaut riding a horse on mars", seed=0)
_WARM_STEPS = 2
_FAILURES = (RuntimeError, ValueError, TypeError, MemoryError)


def measure(profile: Profile, steps: int) -> Measurement:
    """The steps of the second picture: the first one compiles kernels and fills caches.

    Raises MpsDoctorError where the model or the device cannot be had.
    """
    profile.activate()
    require_quiet_libraries()
    from mpsdoctor.rendering.generate import generate
    from mpsdoctor.rendering.pipeline import load_pipeline

    pipe = load_pipeline(profile, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    warm = profile.model_copy(update={"num_inference_steps": _WARM_STEPS})
    timed = profile.model_copy(update={"num_inference_steps": steps})
    swapped = psutil.swap_memory().sout
    ends: list[float] = []
    try:
        generate(warm, pipe, [REQUEST])
        generate(timed, pipe, [REQUEST], lambda _step, _steps: ends.append(_now(profile)))
    except (MpsDoctorError, *_FAILURES) as error:
        return _failed(error)
    return Measurement(
        step_seconds=tuple(end - start for start, end in itertools.pairwise(ends)),
        peak_bytes=_peak(profile),
        swapped_bytes=max(0, psutil.swap_memory().sout - swapped),
    )


def _failed(error: Exception) -> Measurement:
    return Measurement(
        problem=error.title
        if isinstance(error, MpsDoctorError)
        else f"{type(error).__name__}: {error}",
        short_of_memory=explain(error, "").cause == "memory",
    )


def _now(profile: Profile) -> float:
    """When the GPU has done what it was asked for."""
    if profile.device == "mps":
        import torch

        torch.mps.synchronize()
    return time.monotonic()


def _peak(profile: Profile) -> int | None:
    """All that Metal has given to this process."""
    if profile.device != "mps":
        return None
    import torch

    return torch.mps.driver_allocated_memory()


def main() -> None:
    """Replies with the measurement, or why there can be none."""
    profile = Profile(**json.loads(Path(sys.argv[1]).read_text("utf-8")))
    try:
        reply(measure(profile, int(sys.argv[2])))
    except MpsDoctorError as error:
        reply(error)
    except _FAILURES as error:  # while the model was loaded
        reply(_failed(error))
    os._exit(0)  # Metal can abort while Python shuts down


if __name__ == "__main__":
    main()
