"""Counts the memory that is alive while modules run; attention is recorded separately."""

import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch._ops import OpOverload
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from mpsdoctor.knowledge.attention.shape import AttentionShape
from mpsdoctor.planning.footprint import AttentionCall

GRAIN = 512
"""CUDA's caching allocator rounds every request up to this; Metal's heaps are no finer."""


class LiveStorages(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of every storage that operations make, for as long as it lives.

    Works on real and on fake tensors alike. `parameters` are not counted. Other tensors that exist
    already are counted if they are passed to `hold`. Sizes are rounded up to `grain` bytes.
    """

    def __init__(self, parameters: Iterable[torch.Tensor] = (), grain: int = GRAIN) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._grain = grain
        self.live = 0
        self.peak = 0
        self.largest = 0
        self.flops = 0
        self._known: dict[int, weakref.ref[torch.UntypedStorage]] = {}
        for parameter in parameters:
            self._follow(parameter.untyped_storage(), 0)

    def hold(self, value: object) -> None:
        """Counts the tensors in `value`, an output or an argument, however nested."""
        for leaf in tree_leaves(value):
            if isinstance(leaf, torch.Tensor):
                storage = leaf.untyped_storage()
                self._follow(storage, -(-storage.nbytes() // self._grain) * self._grain)

    def _follow(self, storage: torch.UntypedStorage, size: int) -> None:
        key = storage._cdata
        if key in self._known:
            return

        def gone(_: object) -> None:
            self.live -= size
            del self._known[key]

        self._known[key] = weakref.ref(storage, gone)
        self.live += size
        self.peak = max(self.peak, self.live)
        self.largest = max(self.largest, size)

    def __torch_dispatch__(
        self,
        func: OpOverload[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        result = func(*args, **(kwargs or {}))
        self.hold(result)
        if formula := flop_registry.get(func._overloadpacket):
            self.flops += int(formula(*args, **(kwargs or {}), out_val=result))
        return result


class OpaqueAttention(TorchFunctionMode):
    """Replaces scaled_dot_product_attention: records the call and allocates only the output."""

    def __init__(self, storages: LiveStorages) -> None:
        super().__init__()
        self._storages = storages
        self._calls: dict[AttentionShape, AttentionCall] = {}

    @property
    def calls(self) -> tuple[AttentionCall, ...]:
        """One entry per shape, in the order of the first calls."""
        return tuple(self._calls.values())

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        if func is functional.scaled_dot_product_attention:
            return self._attend(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _attend(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attn_mask: torch.Tensor | None = None,
        *_: object,
        **__: object,
    ) -> torch.Tensor:
        shape = _shape(query, key, attn_mask)
        live = self._storages.live
        known = self._calls.get(shape)
        self._calls[shape] = AttentionCall(
            shape=shape,
            count=known.count + 1 if known else 1,
            live_bytes=max(live, known.live_bytes) if known else live,
            dtype=str(query.dtype).removeprefix("torch."),
        )
        self._storages.flops += 2 * shape.scores * (query.shape[-1] + value.shape[-1])
        return query.new_empty((*query.shape[:-1], value.shape[-1]))


def _shape(
    query: torch.Tensor, key: torch.Tensor, attn_mask: torch.Tensor | None
) -> AttentionShape:
    """Of (…, heads, length, head size); all dimensions before the heads are the batch."""
    *batch, queries, head_size = query.shape
    heads = batch.pop() if batch else 1
    return AttentionShape(
        batch=int(torch.Size(batch).numel()),
        heads=heads,
        queries=queries,
        keys=key.shape[-2],
        head_size=head_size,
        masked=attn_mask is not None,
    )
