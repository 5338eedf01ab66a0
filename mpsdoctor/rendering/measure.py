"""Two short pictures with one profile: `python -m mpsdoctor.rendering.measure PROFILE.json STEPS`.

Runs as a separate process, because the measured settings can crash it. Replies with a Measurement.
"""

import itertools
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.child import reply
from mpsdoctor.facts.measurement import Measurement
from mpsdoctor.libraries import require_quiet_libraries
from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.explanations import explain

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline

REQUEST = Request(prompt="a photo of an astronaut riding a horse on mars", seed=0)
_WARM_STEPS = 2
_PICTURES = 2
_FAILURES = (RuntimeError, ValueError, TypeError, MemoryError)


def measure(profile: Profile, steps: int) -> Measurement:
    """The steps of two pictures, after one that compiles kernels and fills caches.

    Raises MpsDoctorError if the model or the device is missing.
    """
    profile.activate()
    require_quiet_libraries()
    from mpsdoctor.rendering.pipeline import load_pipeline

    pipe = load_pipeline(profile, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    warm = profile.model_copy(update={"num_inference_steps": _WARM_STEPS})
    timed = profile.model_copy(update={"num_inference_steps": steps})
    swapped = _swapped()
    try:
        _render(warm, pipe)
        seconds = [one for _ in range(_PICTURES) for one in step_seconds(_render(timed, pipe))]
    except (MpsDoctorError, *_FAILURES) as error:
        return _failed(error)
    return Measurement(
        step_seconds=tuple(seconds),
        peak_bytes=_peak(profile),
        swapped_bytes=max(0, _swapped() - swapped),
        problem="" if seconds else "this pipeline does not report its steps",
    )


def _render(profile: Profile, pipe: "DiffusionPipeline") -> list[tuple[int, float]]:
    """The steps (1-based) that are reported as done, each with the time in seconds."""
    from mpsdoctor.rendering.generate import generate

    ends: list[tuple[int, float]] = []
    generate(profile, pipe, [REQUEST], lambda step, _steps: ends.append((step, _now(profile))))
    return ends


def step_seconds(ends: Sequence[tuple[int, float]]) -> list[float]:
    """The seconds of each step except the first, from the reported ends of steps (1-based).

    On mps only some short steps are reported: those between two reports count as equally long.
    """
    return [
        (end - begin) / (step - before)
        for (before, begin), (step, end) in itertools.pairwise(ends)
        for _ in range(step - before)
    ]


def _failed(error: Exception) -> Measurement:
    return Measurement(
        problem=error.title
        if isinstance(error, MpsDoctorError)
        else f"{type(error).__name__}: {error}",
        short_of_memory=explain(error, "").cause == "memory",
    )


def _swapped() -> int:
    """Bytes written to swap since the machine started; 0 on macOS, where `memory_watch` counts.

    There psutil counts pages written to files (psutil/arch/osx/mem.c), and raises on macOS 27
    (psutil #2978).
    """
    return 0 if sys.platform == "darwin" else psutil.swap_memory().sout


def _now(profile: Profile) -> float:
    """The time at which the GPU has finished its work."""
    if profile.device == "mps":
        import torch

        torch.mps.synchronize()
    return time.monotonic()


def _peak(profile: Profile) -> int | None:
    """All memory that Metal has allocated for this process."""
    if profile.device != "mps":
        return None
    import torch

    return torch.mps.driver_allocated_memory()


def main() -> None:
    """Replies with the measurement, or with the reason why there is none."""
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
