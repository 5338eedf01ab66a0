"""Gradient descent under a deadline, for objectives that sample their own batches."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

_AVERAGE_EVERY: Final = 10
_AVERAGE_DECAY: Final = 0.99
_LOG_EVERY: Final = 250

Sample = Callable[[], tuple[Tensor, ...]]
Report = Callable[[str], None]


@dataclass(frozen=True)
class Pace:
    """How long to descend, whichever limit comes first, and the highest learning rate."""

    seconds: float
    steps: int
    rate: float

    def __iter__(self) -> Iterator[tuple[int, float]]:
        """Count the steps, each with the share of the way that is done."""
        start, step, progress = time.monotonic(), 0, 0.0
        while progress < 1:
            yield step, progress
            step += 1
            progress = max((time.monotonic() - start) / self.seconds, step / self.steps)

    def rate_at(self, progress: float) -> float:
        """Warm up for 3 % of the way, then follow a cosine down to zero."""
        warm_up = min(1.0, (progress + 1e-3) / 0.03)
        return self.rate * warm_up * (1 + math.cos(math.pi * progress)) / 2


def fit(
    objective: nn.Module, sample: Sample, pace: Pace, dtype: torch.dtype, report: Report
) -> nn.Module:
    """Minimise `objective(*sample())`, a scalar, and return the average of the late weights.

    The objective computes in `dtype`; its weights and the optimiser stay in float32.
    """
    weights = dict(objective.named_parameters())
    device = next(iter(weights.values())).device
    on_gpu = device.type == "cuda"
    rate = torch.zeros((), device=device)
    optimizer = torch.optim.AdamW(
        weights.values(), lr=rate, betas=(0.9, 0.99), fused=True, capturable=on_gpu
    )
    averaging = get_ema_multi_avg_fn(_AVERAGE_DECAY)  # type: ignore[no-untyped-call]
    average = AveragedModel(objective, multi_avg_fn=averaging)

    def descend() -> Tensor:
        cast = {name: weight.to(dtype) for name, weight in weights.items()}
        loss: Tensor = functional_call(objective, cast, sample())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(weights.values(), 1.0)
        optimizer.step()
        return loss.detach()

    step_once = _captured(descend) if on_gpu else descend
    for step, progress in pace:
        rate.fill_(pace.rate_at(progress))
        loss = step_once()
        if step % _AVERAGE_EVERY == 0:
            average.update_parameters(objective)
        if step % _LOG_EVERY == 0:
            report(f"{type(objective).__name__} {progress:4.0%} {step:6} {loss:.4f}")
    return average.module


def _captured(function: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """Record a function's kernels as a CUDA graph: launching them one by one takes longer.

    https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
    """
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            function()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = function()

    def replay() -> Tensor:
        graph.replay()
        return result

    return replay
