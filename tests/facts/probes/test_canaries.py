"""The canaries: they pass on the CPU, and each one detects its fault."""

import ast
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mpsdoctor.facts.probes import canaries
from mpsdoctor.facts.probes.canaries import CANARIES, Canary, Side, measure
from mpsdoctor.facts.records import Precision
from mpsdoctor.knowledge.tolerances import tolerance

BY_NAME = {canary.name: canary for canary in CANARIES}
aten = torch.ops.aten
Operation = Callable[..., Any]


class Fault(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A device that computes everything right but `operation`, for which it calls `wrong`."""

    def __init__(self, operation: Any, wrong: Operation) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operation = operation
        self.wrong = wrong
        self.met = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func.overloadpacket is not self.operation:
            return func(*args, **(kwargs or {}))
        self.met = True
        return self.wrong(func, *args, **(kwargs or {}))


def with_poisoned_input(func: Any, poison: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
    return func(poison, *args, **kwargs) + poison


def with_every_head_first(
    func: Any, query: torch.Tensor, key: torch.Tensor, *args: Any, **kwargs: Any
) -> Any:
    """The permuted query is read as if it were contiguous."""
    return func(as_contiguous(query), key, *args, **kwargs)


def leaking(
    func: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *rest: Any, **kw: Any
) -> Any:
    """The mask is that of the last position in each group of four."""
    length = query.shape[-2]
    last = torch.arange(length) // 4 * 4 + 3
    mask = torch.where(torch.arange(length) <= last[:, None], 0.0, -math.inf).to(query.dtype)
    return func(query, key, value, 0.0, False, attn_mask=mask)


def repeating() -> Operation:
    """The first call's result again, for a query of the same shape."""
    cache: dict[torch.Size, Any] = {}

    def call(func: Any, query: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        if query.shape not in cache:
            cache[query.shape] = func(query, *args, **kwargs)
        return cache[query.shape]

    return call


def without_bias(func: Any, bias: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
    return func(torch.zeros_like(bias), *args, **kwargs)


def wrong_the_second_time() -> Operation:
    calls = 0

    def call(func: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        nonlocal calls
        calls += 1
        result: torch.Tensor = func(*args, **kwargs)
        return result if calls == 1 else result.flip(0)

    return call


def as_contiguous(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor as a kernel reads it that ignores strides."""
    return torch.as_strided(tensor, tensor.shape, torch.empty(tensor.shape).stride())


def with_weight_as_contiguous(func: Any, image: Any, weight: Any, *args: Any) -> Any:
    return func(image, as_contiguous(weight), *args)


def with_channels_mixed_up(func: Any, image: Any, weight: Any, *args: Any) -> Any:
    return func(image, weight.flip(1), *args)


def with_views_as_contiguous(func: Any, image: Any, *args: Any) -> Any:
    """A kernel that ignores strides finds only the first picture of a view."""
    return func(as_contiguous(image), *args)


def reading_the_source_late() -> Operation:
    """A copy gets the content that its source's memory has one copy later."""
    earlier: list[torch.Tensor] = []

    def call(func: Any, source: torch.Tensor, **kwargs: Any) -> Any:
        if not kwargs.get("non_blocking"):
            return func(source, **kwargs)
        copy = func(source, **kwargs)
        for late in earlier:
            late.flatten()[:1].copy_(source[:1])
        earlier[:] = [copy]
        return copy

    return call


def with_the_next_value() -> Operation:
    """The second assignment also changes what the first one assigned (pytorch #122016)."""
    assigned: list[torch.Tensor] = []

    def call(func: Any, target: torch.Tensor, value: Any) -> Any:
        for earlier in assigned:
            func(earlier, value)
        assigned.append(target)
        return func(target, value)

    return call


def reading_the_first_number(func: Any, left: torch.Tensor, right: torch.Tensor) -> Any:
    """A scalar on the CPU is read from the start of its storage (pytorch #187117)."""
    return func(left, torch.as_strided(right, (), (), 0) if right.dim() == 0 else right)


def into_nothing(func: Any, target: torch.Tensor, source: torch.Tensor) -> Any:
    """A copy into float64 leaves the target as it is (pytorch #197715)."""
    return target if target.dtype == torch.float64 else func(target, source)


def smallest_integer(func: Any, *args: Any, **kwargs: Any) -> Any:
    return torch.full_like(func(*args, **kwargs), -(2**63))


def wrapping_at_127(func: Any, *args: Any, **kwargs: Any) -> Any:
    return func(*args, **kwargs).to(torch.int8).to(torch.int64)


def first_rows(func: Any, rows: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
    """Rows at the start of the storage, not of the slice (pytorch #131750)."""
    return func(torch.as_strided(rows, rows.shape, rows.stride(), 0), *args, **kwargs)


def in_32_bits(func: Any, *args: Any, **kwargs: Any) -> Any:
    return func(*args, **kwargs).to(torch.int32).to(torch.int64)


def in_float32(func: Any, *args: Any, **kwargs: Any) -> Any:
    return func(*args, **kwargs).float().double()


ATTENTION = aten._scaled_dot_product_flash_attention_for_cpu
FAULTS: dict[str, Callable[[], Fault]] = {
    "baddbmm-beta-zero": lambda: Fault(aten.baddbmm, with_poisoned_input),
    "sdpa": lambda: Fault(ATTENTION, with_every_head_first),
    "sdpa-causal": lambda: Fault(ATTENTION, leaking),
    "sdpa-scale-cache": lambda: Fault(ATTENTION, repeating()),
    "linear-bias": lambda: Fault(aten.addmm, without_bias),
    "linear-twice-bf16": lambda: Fault(aten.mm, wrong_the_second_time()),
    "conv2d-sliced-weight": lambda: Fault(aten.convolution, with_weight_as_contiguous),
    "conv3d": lambda: Fault(aten.convolution, with_channels_mixed_up),
    "conv-chunk": lambda: Fault(aten.convolution, with_views_as_contiguous),
    "copy-non-blocking": lambda: Fault(aten._to_copy, reading_the_source_late()),
    "slice-assignment": lambda: Fault(aten.copy_, with_the_next_value()),
    "cpu-scalar-offset": lambda: Fault(aten.add, reading_the_first_number),
    "argmax": lambda: Fault(aten.argmax, smallest_integer),
    "cumsum": lambda: Fault(aten.cumsum, wrapping_at_127),
    "layer-norm-float16": lambda: Fault(aten.native_layer_norm, first_rows),
    "int64": lambda: Fault(aten.add, in_32_bits),
    "float64-refusal": lambda: Fault(aten.mul, in_float32),
}


def on_a_device_with(fault: Fault, canary: Canary) -> Canary:
    """The canary, computing with `fault` on the device and without it in the reference."""

    def compute(side: Side) -> list[torch.Tensor]:
        if side.is_reference:
            return canary.compute(side)
        with fault:
            return canary.compute(side)

    return canary._replace(compute=compute)


def precision_of(name: str) -> Precision:
    """The precision, with the type of a fact."""
    precision: Precision = msgspec.convert(BY_NAME[name].precision, Precision)
    return precision


@pytest.mark.parametrize("name", BY_NAME)
def test_a_canary_is_right_on_the_cpu(name: str) -> None:
    """Without a fault, the error is far below the tolerance of the strictest chip."""
    measured = measure(BY_NAME[name], "cpu")
    error = measured["error"]
    assert isinstance(error, float), measured
    assert error <= tolerance(precision_of(name), "Apple M1") / 2


@pytest.mark.parametrize("name", BY_NAME)
def test_a_canary_sees_its_fault(name: str) -> None:
    """If that one operation is wrong on the device, the error exceeds every chip's tolerance."""
    fault = FAULTS[name]()
    measured = measure(on_a_device_with(fault, BY_NAME[name]), "cpu")
    assert fault.met
    error = measured["error"]
    assert error == "nan" or float(str(error)) > tolerance(precision_of(name), "Apple M5")


def test_a_copy_into_float64_that_is_lost_is_seen() -> None:
    """The canary of float64 detects a second fault."""
    fault = Fault(aten.copy_, into_nothing)
    measured = measure(on_a_device_with(fault, BY_NAME["float64-refusal"]), "cpu")
    assert fault.met
    assert 1.0 == measured["error"]


def test_each_canary_has_a_fault_and_a_name_of_its_own() -> None:
    """The table has every canary, and each name is unique."""
    assert list(FAULTS) == [canary.name for canary in CANARIES]


def test_the_fault_of_the_chunk_leaves_the_first_picture_right() -> None:
    """The simulated fault is the one that the issue describes."""
    fault = FAULTS["conv-chunk"]()
    side = Side("cpu", "float32")
    (right,) = canaries.conv_chunk(Side("cpu", "float32"))
    with fault:
        (wrong,) = canaries.conv_chunk(side)
    torch.testing.assert_close(wrong[0], right[0])
    assert not torch.allclose(wrong[1], right[1])


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotImplementedError("aten::x is not implemented for mps"), "skipped"),
        (RuntimeError("\"addmm\" not implemented for 'Half'"), "skipped"),
        (TypeError("BFloat16 is not supported on MPS"), "skipped"),
        (RuntimeError("MPS backend out of memory\nsecond line"), "failed"),
        (ValueError(""), "failed"),
    ],
)
def test_what_raises_has_a_reason(error: Exception, status: str) -> None:
    """A missing operation is skipped, any other error is a failure, and both give a reason."""

    def compute(side: Side) -> list[torch.Tensor]:
        raise error

    measured = measure(Canary("x", "float32", compute), "cpu")
    assert status == measured["status"]
    assert str(measured["detail"]).startswith(type(error).__name__)
    assert "\n" not in str(measured["detail"])


def test_a_result_of_another_shape_has_failed() -> None:
    """A shape that broadcasts is not a match (pytorch #176767)."""

    def compute(side: Side) -> list[torch.Tensor]:
        return [torch.ones(2, 1 if side.is_reference else 2)]

    assert "failed" == measure(Canary("x", "float32", compute), "cpu")["status"]


def test_the_same_numbers_are_drawn_every_time() -> None:
    """A canary's numbers depend neither on the caller's seed nor on earlier canaries."""
    torch.manual_seed(1)
    first = Side("cpu", "float32").normal(3)
    torch.manual_seed(2)
    assert torch.equal(first, Side("cpu", "float32").normal(3))


def test_the_reference_rounds_as_the_device_does() -> None:
    """Both sides use the same numbers, so that only the arithmetic can differ."""
    device = Side("cpu", "bfloat16").normal(100)
    reference = Side("cpu", "bfloat16", is_reference=True).normal(100)
    assert (torch.bfloat16, torch.float32) == (device.dtype, reference.dtype)
    assert torch.equal(device.float(), reference)


def test_the_canaries_are_older_than_this_package() -> None:
    """They compile as Python 3.8 and import only the standard library and torch."""
    tree = ast.parse(Path(canaries.__file__).read_text("utf-8"), feature_version=(3, 8))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imported
    }
    assert {"__future__", "collections.abc", "math", "re", "time", "torch", "typing"} == names
