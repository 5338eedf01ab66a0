"""Predicted against measured peak memory: `python -m tests.benchmarks.memory`.

Full-size architectures with random weights, on CUDA (`--device cpu` for a look at tiny ones). Takes
two to three minutes on one GPU with 80 GB. Measured is `torch.cuda.max_memory_allocated`, which
counts cuDNN's and cuBLAS's workspaces too. For the wide convolutions of a VAE, cuDNN's is more than
half of what the model itself needs: `--no-workspace` counts what the allocator gave to others than
cuDNN's convolutions, by the stack of each allocation (set TORCH_SYMBOLIZE_MODE=dladdr with it).
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any
from unittest import mock

import torch
from accelerate.utils import calculate_maximum_sizes  # type: ignore[import-untyped]
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_leaves, tree_map

from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.knowledge.attention import memory
from mpsdoctor.knowledge.attention.memory import Kind
from mpsdoctor.libraries import silence_libraries
from mpsdoctor.planning import build
from mpsdoctor.planning.configs import ARCHITECTURES, Configs, read_file, read_folder
from mpsdoctor.planning.footprint import AttentionCall, Stage
from mpsdoctor.planning.forecast import stage_peak
from mpsdoctor.planning.trace import Rehearsal
from mpsdoctor.rendering.attention.bounded import bounded_attention
from mpsdoctor.resources import embedded_model
from tests.benchmarks.machine import describe
from tests.support.allocations import peak_bytes

MODELS: dict[str, tuple[str, tuple[int, ...]]] = {
    "sd15": ("float16", (512, 768, 1024)),
    "sdxl": ("float16", (768, 1024, 1536)),
    "sd3-medium": ("float16", (512, 1024, 1536)),
    "flux1-dev": ("bfloat16", (512, 1024, 1536)),
}
PARTS = ("unet", "transformer", "vae")
BUDGET = 512 * 2**20
MIB = 2**20
SECONDS = 480.0
"""After these no further row is begun."""

Call = tuple[tuple[Any, ...], dict[str, Any]]
Measure = Callable[[Callable[[], object]], int]


class Recording(Rehearsal):
    """Keeps what the pipeline gave to each module."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.calls: dict[str, Call] = {}

    def trace(
        self, name: str, entry: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Stage, Any]:
        self.calls[name] = (args, kwargs)
        return super().trace(name, entry, args, kwargs)

    def _with_tiles(self, *_: object) -> None:
        return None


def real_module(configs: Configs, name: str, dtype: torch.dtype, device: str) -> torch.nn.Module:
    """The component with random weights, made where it runs."""
    kind = build.component_class(configs, name)
    default = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            module: torch.nn.Module = kind.from_config(configs.components[name])
    finally:
        torch.set_default_dtype(default)
    return module.to(device, dtype).eval().requires_grad_(False)


def modes(name: str, module: Any) -> Iterator[tuple[str, Callable[[AttentionCall], int]]]:
    """Each way of attention: its name, and what it allocates. Sets the module's processors."""

    def of_kind(kind: Kind) -> Callable[[AttentionCall], int]:
        return lambda call: memory.temporary_bytes(call.shape, call.dtype, kind)

    def of_slices(size: memory.SliceSize) -> Callable[[AttentionCall], int]:
        return lambda call: memory.sliced_bytes(call.shape, call.dtype, size)

    yield "flash", of_kind(Kind.FLASH)
    yield "math", of_kind(Kind.MATH)
    yield "bounded", lambda call: memory.bounded_bytes(call.shape, call.dtype, Kind.MATH, BUDGET)
    if name == "unet":
        for size in ("auto", "max"):
            module.set_attention_slice(size)
            yield f"sliced {size}", of_slices(size)


@contextmanager
def attending(mode: str) -> Iterator[None]:
    """Attention on this device as `mode` says."""
    original = functional.scaled_dot_product_attention
    bounded: AbstractContextManager[object] = nullcontext()
    if mode == "bounded":
        attend = partial(bounded_attention, budget=BUDGET, attention=original)
        bounded = mock.patch.object(functional, "scaled_dot_product_attention", attend)
    with sdpa_kernel(SDPBackend.MATH) if mode in ("math", "bounded") else nullcontext(), bounded:
        yield


def measured(call: Callable[[], object], device: str) -> int:
    """The most bytes that `call` holds at once."""
    if device == "cpu":
        return peak_bytes(call)
    call()
    torch.cuda.synchronize()
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def measured_without_workspace(call: Callable[[], object]) -> int:
    """The same, without what cuDNN's convolutions take while they run."""
    call()
    torch.cuda.synchronize()
    torch.cuda.memory._record_memory_history("all", context="alloc", stacks="all")
    call()
    torch.cuda.synchronize()
    traces = torch.cuda.memory._snapshot()["device_traces"]
    torch.cuda.memory._record_memory_history(None)
    sizes: dict[int, int] = {}
    held = peak = 0
    for event in traces[torch.cuda.current_device()]:
        if event["action"] == "alloc" and not _is_workspace(event["frames"]):
            sizes[event["addr"]] = event["size"]
            held += event["size"]
            peak = max(peak, held)
        elif event["action"] == "free_completed":
            held -= sizes.pop(event["addr"], 0)
    return peak


def _is_workspace(frames: list[dict[str, Any]]) -> bool:
    """cuDNN's comes straight from the allocator; its results are tensors, made as any other."""
    names = " ".join(frame["name"] for frame in frames)
    return "cudnn_convolution" in names and "empty_generic" not in names


def rows(
    model: str, configs: Configs, dtype: str, side: int, device: str, measure: Measure
) -> Iterator[list[Any]]:
    """One row for each stage and mode."""
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    pipe = build.build(configs, getattr(torch, dtype), fake)
    pipe.set_progress_bar_config(disable=True)
    recording = Recording(configs, pipe, fake, {})
    footprint = recording.run(side, side, dtype)
    for stage in footprint.stages:
        for name in sorted(set(stage.components) & set(PARTS)):
            call = recording.calls[name]
            own = next(leaf.dtype for leaf in tree_leaves(call) if _is_float(leaf))
            only, _ = calculate_maximum_sizes(pipe.components[name])
            module = real_module(configs, name, own, device)
            yield from _of_stage(
                f"{model} {name} {side}", name, stage, module, call, only, device, measure
            )
            del module
            if device != "cpu":
                torch.cuda.empty_cache()


def _of_stage(
    title: str,
    name: str,
    stage: Stage,
    module: Any,
    call: Call,
    accelerate: int,
    device: str,
    measure: Measure,
) -> Iterator[list[Any]]:
    args, kwargs = tree_map(lambda leaf: leaf.to(device) if _is_tensor(leaf) else leaf, call)
    inputs = sum(leaf.nbytes for leaf in tree_leaves((args, kwargs)) if _is_tensor(leaf))
    weights = sum(tensor.nbytes for tensor in build.parameters(module))
    entry = module.decode if name == "vae" else module
    for mode, temporary in modes(name, module):
        try:
            with torch.no_grad(), attending(mode):
                found = measure(lambda: entry(*args, **kwargs)) + inputs
        except torch.OutOfMemoryError:
            found = 0
        yield [title, mode, stage_peak(stage, temporary), found, weights, accelerate]


def _is_tensor(leaf: object) -> bool:
    return isinstance(leaf, torch.Tensor)


def _is_float(leaf: Any) -> bool:
    return _is_tensor(leaf) and leaf.is_floating_point() and leaf.ndim > 1


def report(row: list[Any]) -> tuple[float, float] | None:
    """Prints a line; the error in percent and in MiB, or None where it did not fit."""
    title, mode, predicted, found, weights, accelerate = row
    start = f"| {title} | {mode} | {predicted / MIB:.2f} |"
    if not found:
        print(f"{start} out of memory | | | | |", flush=True)
        return None
    error, mib = 100 * (predicted - found) / found, (predicted - found) / MIB
    print(
        f"{start} {found / MIB:.2f} | {error:+.2f} % | {mib:+.1f} | {(weights + found) / MIB:.0f} "
        f"| {accelerate / MIB:.0f} ({100 * (accelerate / (weights + found) - 1):+.0f} %) |",
        flush=True,
    )
    return error, mib


def main() -> None:
    """Prints a table and what it comes down to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--sides", nargs="*", type=int)
    parser.add_argument("--no-workspace", action="store_true")
    options = parser.parse_args()
    silence_libraries()
    started = time.monotonic()
    print(describe())
    if options.device != "cpu":
        print(torch.cuda.get_device_name())
    print(
        "\n| what | attention | predicted MiB | measured MiB | error | MiB | with weights "
        "| accelerate |\n|---|---|---|---|---|---|---|---|"
    )
    errors = []
    measure: Measure = partial(measured, device=options.device)
    if options.no_workspace:
        measure = measured_without_workspace
    for model in options.models:
        dtype, sides = MODELS.get(model, ("float32", (128,)))
        if model == EMBEDDED_MODEL:
            configs = read_folder(model, embedded_model())
        else:
            configs = read_file(ARCHITECTURES / f"{model}.json")
        for side in options.sides or sides:
            if time.monotonic() - started < SECONDS:
                found = [
                    report(row)
                    for row in rows(model, configs, dtype, side, options.device, measure)
                ]
                errors += [error for error in found if error]
    percent, mib = [abs(error) for error, _ in errors], [abs(size) for _, size in errors]
    beyond = sum(1 for error, size in errors if abs(error) > 5 and abs(size) > 32)
    print(f"\n{len(errors)} rows: median error {statistics.median(percent):.2f} %,", end=" ")
    print(f"worst {max(percent):.2f} %, {max(mib):.1f} MiB; beyond 5 % and 32 MiB: {beyond}")
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
