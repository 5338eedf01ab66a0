"""A device that gets one operation wrong, in ways that mps has shown."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode

Wrong = Callable[..., Any]
aten = torch.ops.aten
ATTENTION = aten._scaled_dot_product_flash_attention_for_cpu


class Fault(NamedTuple):
    """`wrong` is called instead of each of the operations, with it and its arguments."""

    operations: tuple[Any, ...]
    wrong: Wrong


class FaultyDevice(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Computes everything right but the fault's operations; `met` is whether one was called."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.fault = fault
        self.met = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func.overloadpacket not in self.fault.operations:
            return func(*args, **(kwargs or {}))
        self.met = True
        return self.fault.wrong(func, *args, **(kwargs or {}))


def with_permuted_query_as_contiguous(func: Any, query: torch.Tensor, *args: Any, **kw: Any) -> Any:
    """pytorch #163597: the kernel ignores the query's strides."""
    return func(query.as_strided(query.shape, torch.empty(query.shape).stride()), *args, **kw)


def leaking(
    func: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    dropout: float = 0.0,
    is_causal: bool = False,
    **kw: Any,
) -> Any:
    """pytorch #195910: of four positions, the mask is that of the last."""
    if not is_causal and kw.get("attn_mask") is None:
        return func(query, key, value, dropout, **kw)
    length = query.shape[-2]
    last = torch.arange(length) // 4 * 4 + 3
    mask = torch.where(torch.arange(length) <= last[:, None], 0.0, -math.inf).to(query.dtype)
    return func(query, key, value, 0.0, False, attn_mask=mask)


def with_the_scale_of_another(func: Any, *args: Any, **kw: Any) -> Any:
    """pytorch #184122: a scale that does not belong to this call."""
    return func(*args, **{**kw, "scale": 1.0})


def without_bias(func: Any, bias: torch.Tensor, *args: Any, **kw: Any) -> Any:
    """pytorch #188438, there only where the last dimension but one is 1."""
    return func(torch.zeros_like(bias), *args, **kw)


def with_rows_mixed_up(func: Any, *args: Any, **kw: Any) -> Any:
    """pytorch #180776: garbage."""
    return func(*args, **kw).flip(0)


def off_by(share: float) -> Wrong:
    """pytorch #193487: products are off by 10 to 30 %."""

    def call(func: Any, *args: Any, **kw: Any) -> Any:
        result = func(*args, **kw)
        if isinstance(result, tuple):
            return (result[0] * (1 + share), *result[1:])
        return result * (1 + share)

    return call


def first_of_the_batch_only(func: Any, image: torch.Tensor, *args: Any) -> Any:
    """pytorch #169342: the other elements of a batch are wrong."""
    result = func(image, *args)
    return torch.cat([result[:1], result[1:].flip(-1)])


def with_the_rows_of_another(func: Any, rows: torch.Tensor, *args: Any, **kw: Any) -> Any:
    """pytorch #131750: of a batch, the wrong elements are normalised."""
    return func(rows[:1].expand(rows.shape).contiguous(), *args, **kw)


def nan_in_one_place(func: Any, *args: Any, **kw: Any) -> Any:
    """Overflow, in a single number."""
    result = func(*args, **kw).clone()
    result.view(-1)[-1] = math.nan
    return result


FAULTS: dict[str, Fault] = {
    "attention reads a permuted query as contiguous": Fault(
        (ATTENTION,), with_permuted_query_as_contiguous
    ),
    "attention's mask leaks": Fault((ATTENTION,), leaking),
    "attention takes another scale": Fault((ATTENTION,), with_the_scale_of_another),
    "attention is off by 10 %": Fault((ATTENTION,), off_by(0.1)),
    "linear layers lose their bias": Fault((aten.addmm,), without_bias),
    "matrix products are off by 30 %": Fault((aten.mm,), off_by(-0.3)),
    "matrix products mix up rows": Fault((aten.mm,), with_rows_mixed_up),
    "convolutions are right for the first of a batch": Fault(
        (aten.convolution,), first_of_the_batch_only
    ),
    "convolutions give one NaN": Fault((aten.convolution,), nan_in_one_place),
    "group norm takes the rows of another": Fault(
        (aten.native_group_norm,), with_the_rows_of_another
    ),
    "layer norm takes the rows of another": Fault(
        (aten.native_layer_norm,), with_the_rows_of_another
    ),
}
