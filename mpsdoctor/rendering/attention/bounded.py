"""Scaled dot-product attention whose score matrix never exceeds a budget."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from mpsdoctor.knowledge.attention.pieces import fits, pieces

Attention = Callable[..., Tensor]
"""Takes and returns what `torch.nn.functional.scaled_dot_product_attention` does."""

_WHOLE = slice(None)


def bounded_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
    budget: int,
    attention: Attention = functional.scaled_dot_product_attention,
) -> Tensor:
    """Computes `attention` in pieces whose float32 scores take at most `budget` bytes each.

    `query` is (…, heads, queries, size), `key` (…, heads, keys, size), `value` (…, heads, keys,
    size of the value); `attn_mask` broadcasts to (…, heads, queries, keys). Keys are not split, so
    each row is computed as without pieces. Pieces are views of the inputs. The known faults of mps
    with views affect short queries, which `knowledge.attention.pieces` avoids.

    Not split: attention that fits, dropout (its noise would differ), nested tensors, and arguments
    that PyTorch rejects, so that PyTorch reports them.
    """

    attend = partial(attention, dropout_p=dropout_p, scale=scale, enable_gqa=enable_gqa)
    whole = partial(attend, query, key, value, attn_mask, is_causal=is_causal)
    if query.is_nested or dropout_p > 0 or (is_causal and attn_mask is not None):
        return whole()
    group = _heads_per_key(query, key, value) if enable_gqa else 1
    if group == 0:
        return whole()
    *sizes, keys = _score_sizes(query, key, value, group)
    if fits(sizes, keys, budget) or not _broadcasts(attn_mask, [*sizes, keys]):
        return whole()

    result = query.new_empty((*sizes, value.shape[-1]), dtype=_result_dtype(query))
    for place in pieces(sizes, keys, budget, group):
        shared = _of_keys(place[:-1], group)
        if is_causal:
            mask: Tensor | None = _causal_mask(place[-1], keys, query.device)
        else:
            mask = None if attn_mask is None else _part(attn_mask, (*place, _WHOLE))
        result[place] = attend(
            _part(query, (*place, _WHOLE)),
            _part(key, (*shared, _WHOLE, _WHOLE)),
            _part(value, (*shared, _WHOLE, _WHOLE)),
            mask,
        )
    return result


def _heads_per_key(query: Tensor, key: Tensor, value: Tensor) -> int:
    """Query heads per key head; 0 if the counts do not divide, or differ in key and value."""
    heads, shared = query.shape[-3], key.shape[-3]
    if shared == 0 or heads % shared or value.shape[-3] != shared:
        return 0
    return heads // shared


def _score_sizes(query: Tensor, key: Tensor, value: Tensor, group: int) -> list[int]:
    """(…, heads, queries, keys); dimensions before the queries broadcast, as in a matmul."""
    shared = [key.shape[:-2], value.shape[:-2]]
    if group > 1:
        shared = [torch.Size((*sizes[:-1], sizes[-1] * group)) for sizes in shared]
    leading, *others = {query.shape[:-2], *shared}
    if others:  # broadcast_shapes takes twice as long as a small attention
        leading = torch.broadcast_shapes(leading, *others)  # type: ignore[no-untyped-call]
    return [*leading, query.shape[-2], key.shape[-2]]


def _broadcasts(mask: Tensor | None, sizes: Sequence[int]) -> bool:
    if mask is None:
        return True
    own = zip(reversed(mask.shape), reversed(sizes), strict=False)
    return mask.ndim <= len(sizes) and all(size in (1, whole) for size, whole in own)


def _of_keys(leading: tuple[slice, ...], group: int) -> tuple[slice, ...]:
    """The slices of key and value that belong to slices of the query."""
    if group == 1:
        return leading
    heads = leading[-1]
    return (*leading[:-1], slice(heads.start // group, (heads.stop - 1) // group + 1))


def _part(tensor: Tensor, place: tuple[slice, ...]) -> Tensor:
    """`place` aligns with the last dimensions; those of size 1 stay, because they broadcast."""
    own = place[len(place) - tensor.ndim :]
    return tensor[
        tuple(part if size > 1 else _WHOLE for size, part in zip(tensor.shape, own, strict=True))
    ]


def _causal_mask(rows: slice, keys: int, device: torch.device) -> Tensor:
    """(rows, keys): query i sees the keys up to i, even if there are more of either."""
    queries = torch.arange(rows.start, rows.stop, device=device)
    return queries[:, None] >= torch.arange(keys, device=device)


def _result_dtype(query: Tensor) -> torch.dtype:
    """Autocast computes attention in its own number format."""
    device = query.device.type
    able = torch.amp.is_autocast_available(device) and query.dtype != torch.float64
    if able and torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return query.dtype
