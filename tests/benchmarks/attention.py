"""Attention in pieces beside Diffusers' slicing: `python -m tests.benchmarks.attention`.

Denoisers of full size with random weights, a step of each method in turn, in one process. Pieces
and the unsplit attention use PyTorch's math backend, which materialises float32 scores as mps does.
With `--half` its scores stay in the model's number format, as on mps up to PyTorch 2.4.
A step takes as long as the slower of two: the host, which launches kernels, and the GPU, which runs
them; the GPU's part and the number of kernels are in columns of their own.
`--device cpu --tiny` tries the script out.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers import FluxTransformer2DModel, UNet2DConditionModel
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.profiler import ProfilerActivity, profile

from mpsdoctor.planning.configs import ARCHITECTURES, read_file
from mpsdoctor.rendering.attention.scope import Bound, bounded
from tests.benchmarks.machine import describe
from tests.support.allocations import peak_bytes

MIB = 2**20
ROUNDS = 9
SECONDS = 35.0
"""After these no further round of a model is begun."""


@dataclass(frozen=True)
class Method:
    """A way to compute attention."""

    name: str
    native: bool = False
    slice_size: str | None = None
    budget: int | None = None


@dataclass
class Denoiser:
    """A model and what it is called with."""

    title: str
    module: Any
    inputs: dict[str, Any]

    @property
    def is_sliceable(self) -> bool:
        return hasattr(self.module, "set_attention_slice")

    @property
    def device(self) -> str:
        return str(self.module.device.type)

    @contextmanager
    def attending(self, method: Method) -> Iterator[None]:
        """With the attention of `method`."""
        if self.is_sliceable:
            self.module.set_attention_slice(method.slice_size)
        with ExitStack() as stack:
            if not method.native:
                stack.enter_context(sdpa_kernel(SDPBackend.MATH))
            if method.budget is not None:
                stack.enter_context(bounded(Bound(method.budget, self.device)))
            yield

    def step(self) -> Tensor:
        with torch.inference_mode():
            output: Tensor = self.module(**self.inputs, return_dict=False)[0]
        return output


@dataclass
class Measured:
    """`peak` is in bytes, weights and inputs not counted; `difference` is relative.

    `busy` is how long the GPU takes for the `kernels` of a step, without the gaps between them.
    """

    method: Method
    peak: int
    difference: float
    busy: float
    kernels: int
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def random_module(kind: Any, config: dict[str, Any], dtype: torch.dtype, device: str) -> Any:
    """Made where it runs, in its own number format."""
    torch.manual_seed(0)
    default = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            return kind.from_config(config).eval().requires_grad_(False)
    finally:
        torch.set_default_dtype(default)


def unet(name: str, pixels: int, device: str, *, tiny: bool) -> Denoiser:
    """With classifier-free guidance, so a batch of two."""
    config = dict(read_file(ARCHITECTURES / f"{name}.json").components["unet"])
    dtype = torch.float32 if device == "cpu" else torch.float16
    if tiny:
        widths = [width // 8 for width in config["block_out_channels"]]
        config |= {"block_out_channels": widths, "norm_num_groups": 8}
        pixels //= 8
    made: dict[str, Any] = {"dtype": dtype, "device": device}
    inputs: dict[str, Any] = {
        "sample": torch.randn(2, 4, pixels // 8, pixels // 8, **made),
        "timestep": 500,
        "encoder_hidden_states": torch.randn(2, 77, config["cross_attention_dim"], **made),
    }
    if config.get("addition_embed_type") == "text_time":
        of_sizes = 6 * config["addition_time_embed_dim"]
        of_text = config["projection_class_embeddings_input_dim"] - of_sizes
        inputs["added_cond_kwargs"] = {
            "text_embeds": torch.randn(2, of_text, **made),
            "time_ids": torch.full((2, 6), float(pixels), **made),
        }
    module = random_module(UNet2DConditionModel, config, dtype, device)
    return Denoiser(f"{name} {pixels}×{pixels}", module, inputs)


def flux_blocks(pixels: int, device: str, *, tiny: bool) -> Denoiser:
    """One block of each of FLUX.1's two kinds, of its size."""
    config = read_file(ARCHITECTURES / "flux1-dev.json").components["transformer"]
    config = {**config, "num_layers": 1, "num_single_layers": 1}
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    if tiny:
        config["num_attention_heads"] = 2
        pixels //= 8
    made: dict[str, Any] = {"dtype": dtype, "device": device}
    tokens = (pixels // 16) ** 2
    inputs = {
        "hidden_states": torch.randn(1, tokens, config["in_channels"], **made),
        "encoder_hidden_states": torch.randn(1, 512, config["joint_attention_dim"], **made),
        "pooled_projections": torch.randn(1, config["pooled_projection_dim"], **made),
        "timestep": torch.full((1,), 0.5, **made),
        "guidance": torch.full((1,), 3.5, **made),
        "img_ids": torch.zeros(tokens, 3, **made),
        "txt_ids": torch.zeros(512, 3, **made),
    }
    module = random_module(FluxTransformer2DModel, config, dtype, device)
    return Denoiser(f"FLUX.1 1+1 blocks {pixels}×{pixels}", module, inputs)


def synchronize(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def peak_of(call: Callable[[], object], device: str) -> int:
    """The most bytes that `call` holds at once besides what is there already."""
    if device == "cpu":
        return peak_bytes(call)
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    torch.cuda.synchronize()
    return int(torch.cuda.max_memory_allocated()) - before


def peak_with(denoiser: Denoiser, method: Method) -> int | None:
    """Bytes; None where the device has not as many."""
    try:
        with denoiser.attending(method):
            denoiser.step()
            return peak_of(denoiser.step, denoiser.device)
    except torch.OutOfMemoryError:
        return None


def kernels_of(call: Callable[[], object], device: str) -> tuple[float, int]:
    """Seconds that the GPU works on `call`, and the number of its kernels and copies."""
    if device == "cpu":
        return 0.0, 0
    with profile(activities=[ProfilerActivity.CUDA], acc_events=True) as profiler:
        call()
        torch.cuda.synchronize()
    rows: Any = [row for row in profiler.key_averages() if row.device_type.name == "CUDA"]
    return sum(row.self_device_time_total for row in rows) / 1e6, sum(row.count for row in rows)


def budget_within(denoiser: Denoiser, peak: int, unit: int) -> int | None:
    """The largest budget of 3 or 4 times a power of two whose peak is at most `peak`."""
    for budget in ((most << power) * unit for power in range(10, -1, -1) for most in (4, 3)):
        found = peak_with(denoiser, Method("", budget=budget))
        if found is not None and found <= peak:
            return budget
    return None


def methods_for(denoiser: Denoiser, budgets: Sequence[int], unit: int) -> Iterator[Method]:
    """Those that this model knows."""
    yield Method("unsplit")
    if denoiser.is_sliceable:
        slicing = Method("Diffusers “max”", slice_size="max")
        yield slicing
        yield Method("Diffusers “auto”", slice_size="auto")
        peak = peak_with(denoiser, slicing)
        budget = budget_within(denoiser, peak, unit) if peak else None
        if budget:
            yield Method(f"pieces at the peak of “max”: {_amount(budget)}", budget=budget)
    for budget in budgets:
        yield Method(f"pieces of {_amount(budget)}", budget=budget)
    yield Method("native (flash)", native=True)


def measure(denoiser: Denoiser, methods: Sequence[Method]) -> list[Measured]:
    """The methods in turn, round after round; one that does not fit is left out."""
    found: list[Measured] = []
    reference: Tensor | None = None
    for method in methods:
        peak = peak_with(denoiser, method)
        if peak is None:
            continue
        with denoiser.attending(method):
            output = denoiser.step().float().cpu()
            busy, kernels = kernels_of(denoiser.step, denoiser.device)
        reference = output if reference is None else reference
        difference = float((output - reference).abs().max() / reference.abs().max())
        found.append(Measured(method, peak, difference, busy, kernels))
    started = time.perf_counter()
    for _ in range(ROUNDS):
        for one in found:
            with denoiser.attending(one.method):
                synchronize(denoiser.device)
                begun = time.perf_counter()
                denoiser.step()
                synchronize(denoiser.device)
                one.seconds.append(time.perf_counter() - begun)
        if time.perf_counter() - started > SECONDS:
            break
    return found


def report(denoiser: Denoiser, methods: Sequence[Method], found: Sequence[Measured]) -> None:
    """Lines of the table; times as multiples of the unsplit attention's and of those of “max”."""
    times = {one.method.name: one.median for one in found}
    unsplit, slicing = times.get("unsplit"), times.get("Diffusers “max”")
    by_method = {one.method: one for one in found}
    for method in methods:
        start = f"| {denoiser.title} | {method.name} |"
        one = by_method.get(method)
        if one is None:
            print(f"{start} out of memory | | | | | | |", flush=True)
            continue
        to_unsplit = f"{one.median / unsplit:.2f}" if unsplit else ""
        faster = f"{slicing / one.median:.2f}" if slicing else ""
        print(
            f"{start} {1e3 * one.median:.1f} | {to_unsplit} | {faster} "
            f"| {1e3 * one.busy:.1f} | {one.kernels} "
            f"| {one.peak / MIB:.1f} | {one.difference:.1e} |",
            flush=True,
        )


def _amount(size: int) -> str:
    return f"{size // MIB} MiB" if size >= MIB else f"{size // 2**10} KiB"


def main() -> None:
    """Prints a table, model after model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--half", action="store_true")
    options = parser.parse_args()
    device, tiny = options.device, options.tiny
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(options.half)
    unit = 2**10 if tiny else MIB
    started = time.monotonic()
    print(describe())
    if device == "cuda":
        print(torch.cuda.get_device_name())
    print(
        "\n| model | attention | ms a step | × unsplit | × faster than “max” "
        "| GPU ms | kernels | peak MiB | difference |\n|---|---|---|---|---|---|---|---|---|"
    )
    makers: list[Callable[[], Denoiser]] = [
        lambda: unet("sdxl", 1024, device, tiny=tiny),
        lambda: unet("sd15", 512, device, tiny=tiny),
        lambda: unet("sd15", 1024, device, tiny=tiny),
        lambda: flux_blocks(1024, device, tiny=tiny),
    ]
    for make in makers:
        denoiser = make()
        methods = list(methods_for(denoiser, [size * unit for size in (64, 256, 1024)], unit))
        report(denoiser, methods, measure(denoiser, methods))
        del denoiser
        if device == "cuda":
            torch.cuda.empty_cache()
    print(f"\n{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
