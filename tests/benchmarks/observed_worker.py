"""The real worker, observed: `python -m tests.benchmarks.observed_worker`.

With BENCHMARK_DEVICE=cuda it uses that device, which no profile can name, and waits for it as it
does for mps. BENCHMARK_CALLS names a file that gets a line, the monotonic time, whenever the
denoiser is called.
"""

import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from mpsdoctor.profile.settings import Profile
from mpsdoctor.rendering import generate, pipeline, worker

load_pipeline = pipeline.load_pipeline


def load_observed(*args: Any, **kwargs: Any) -> Any:
    """A pipeline whose denoiser writes down when it is called."""
    pipe = load_pipeline(*args, **kwargs)
    times = Path(os.environ["BENCHMARK_CALLS"])

    def note(*_: object) -> None:
        with times.open("a") as file:
            file.write(f"{time.monotonic()}\n")

    denoiser = pipe.unet if hasattr(pipe, "unet") else pipe.transformer
    denoiser.register_forward_pre_hook(note)
    return pipe


def on_cuda(**settings: Any) -> Profile:
    """The profile with a device that the worker only passes on to torch."""
    return Profile(**settings).model_copy(update={"device": "cuda"})


def main() -> None:
    """Serves one daemon."""
    with ExitStack() as stack:
        if "BENCHMARK_CALLS" in os.environ:
            stack.enter_context(mock.patch.object(pipeline, "load_pipeline", load_observed))
        if os.environ.get("BENCHMARK_DEVICE") == "cuda":
            stack.enter_context(mock.patch.object(worker, "Profile", on_cuda))
            wait_for = lambda _device: torch.cuda.synchronize  # noqa: E731
            stack.enter_context(mock.patch.object(generate, "wait_for", wait_for))
        worker.main()


if __name__ == "__main__":
    main()
