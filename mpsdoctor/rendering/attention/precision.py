"""Computes attention in float32 inside a pipeline of 16 bits.

Scores can overflow float16, which gives black pictures. Since macOS 14.5 this happens with models
that earlier versions rendered correctly (ComfyUI #4799, #3521).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from diffusers import DiffusionPipeline
from torch import Tensor, nn
from torch.nn import functional

from mpsdoctor.rendering.attention.bounded import Attention

_SHORT = (torch.float16, torch.bfloat16)


@contextmanager
def attention_in_float32(pipe: DiffusionPipeline) -> Iterator[None]:
    """Applies to all threads until the block ends, in a process that runs one pipeline.

    Bounded attention computes each of its pieces in float32, sliced attention each slice.
    """
    original = functional.scaled_dot_product_attention
    upcast = [module for module in _sliceable(pipe) if not module.upcast_attention]
    functional.scaled_dot_product_attention = partial(_in_float32, original)
    for module in upcast:
        module.upcast_attention = True
    try:
        yield
    finally:
        functional.scaled_dot_product_attention = original
        for module in upcast:
            module.upcast_attention = False


def _in_float32(
    attention: Attention,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    *args: object,
    **kwargs: object,
) -> Tensor:
    if query.dtype not in _SHORT:
        return attention(query, key, value, attn_mask, *args, **kwargs)
    mask = attn_mask.float() if attn_mask is not None and attn_mask.dtype in _SHORT else attn_mask
    result = attention(query.float(), key.float(), value.float(), mask, *args, **kwargs)
    return result.to(query.dtype)


def _sliceable(pipe: DiffusionPipeline) -> Iterator[Any]:
    """Diffusers' attention modules, which compute the scores themselves when sliced."""
    for component in pipe.components.values():
        if isinstance(component, nn.Module):
            yield from (part for part in component.modules() if "upcast_attention" in vars(part))
