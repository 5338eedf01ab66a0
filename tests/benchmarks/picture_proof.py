"""How far rounding and faults take the picture of `check --render` from the CPU's.

`python -m tests.benchmarks.picture_proof`
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from mpsdoctor.facts.command import run
from mpsdoctor.facts.probes.picture_answer import ask
from mpsdoctor.facts.probes.picture_probe import difference, load, render
from mpsdoctor.resources import embedded_model
from tests.benchmarks.machine import describe
from tests.support.picture_faults import ATTENTION, FAULTS, Fault, FaultyDevice, aten

RUNS = 5
PRODUCTS = (ATTENTION, aten.addmm, aten.mm, aten.convolution)


def of_rounded_numbers(func: Any, *args: Any, **kwargs: Any) -> Any:
    """As TF32 multiplies: of each number's mantissa, 10 bits."""
    return func(
        *(_rounded(arg) if isinstance(arg, torch.Tensor) else arg for arg in args), **kwargs
    )


def _rounded(numbers: torch.Tensor) -> torch.Tensor:
    bits = numbers.contiguous().view(torch.int32)
    return ((bits + 0x1000) & ~0x1FFF).view(torch.float32)


def summed_in_float16() -> Callable[..., Any]:
    """Each result is off at random by 0.4 % of what is usual among them.

    That is what a sum of 864 products, as in the model's convolutions, leaves in float16.
    """
    noise = torch.Generator().manual_seed(0)

    def call(func: Any, *args: Any, **kwargs: Any) -> Any:
        result = func(*args, **kwargs)
        first, *rest = result if isinstance(result, tuple) else (result,)
        usual = first.square().mean().sqrt()
        first = first + 0.004 * usual * torch.randn(first.shape, generator=noise)
        return (first, *rest) if rest else first

    return call


def devices() -> Iterator[tuple[str, str, AbstractContextManager[object]]]:
    """What the picture is rendered on: a name, the number format and what is otherwise."""
    for dtype in ("float32", "float16", "bfloat16"):
        yield dtype, dtype, nullcontext()
    yield (
        "float32, products of 10-bit mantissas",
        "float32",
        FaultyDevice(Fault(PRODUCTS, of_rounded_numbers)),
    )
    yield (
        "float32, sums as if in float16",
        "float32",
        FaultyDevice(Fault(PRODUCTS, summed_in_float16())),
    )
    for name, fault in FAULTS.items():
        yield f"float32, {name}", "float32", FaultyDevice(fault)


def seconds() -> float:
    """Wall time of the whole child process, with the picture rendered twice on the CPU."""
    started = time.monotonic()
    ask(run, sys.executable, 600.0, "cpu", embedded_model(), "float32")
    return time.monotonic() - started


def main() -> None:
    """Prints both tables."""
    torch.set_num_threads(1)
    expected = render(load(str(embedded_model())), "cpu", "float32")
    print(describe())
    print("\n| on the CPU, in | root mean square | mean | largest |\n|---|---|---|---|")
    for name, dtype, device in devices():
        pipe = load(str(embedded_model()))
        with device:
            found = difference(expected, render(pipe, "cpu", dtype))
        if found["not_finite"]:
            print(f"| {name} | {found['not_finite']} numbers not finite | | |", flush=True)
        else:
            print(
                f"| {name} | {found['rms']:.3f} | {found['mean']:.3f} | {found['largest']:.1f} |",
                flush=True,
            )
    times = [seconds() for _ in range(RUNS)]
    print("\n| whole child process, seconds | median | min | max |\n|---|---|---|---|")
    print(f"| | {statistics.median(times):.1f} | {min(times):.1f} | {max(times):.1f} |")
    print(f"\nload average: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
