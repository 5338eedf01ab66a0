"""The memory that attention allocates in addition to its inputs and output; no torch.

A trace does not contain it, so that one trace serves every mode and every release of PyTorch.
"""

from enum import Enum
from typing import Literal

from packaging.version import Version

from mpsdoctor.knowledge.attention import pieces
from mpsdoctor.knowledge.attention.kernels import keeps_no_scores
from mpsdoctor.knowledge.attention.shape import AttentionShape

ITEMSIZE = {"float16": 2, "bfloat16": 2, "float32": 4}
"""Bytes of an element."""

_FLOAT32 = 4
_NDARRAY_BYTES = 2**32
_INDEX = 2**31
_LIFTED = Version("26")


class Kind(str, Enum):
    """How scaled_dot_product_attention is computed.

    `COMPOSITE`: PyTorch's operations one by one, in the model's number format (up to 2.4).
    `MATH`: the same, with half precision computed in float32 (since 2.5; CUDA's math backend too).
    `GENERAL`: one graph of MPSGraph (since 2.5). `FLASH`: a kernel without a score matrix.
    """

    COMPOSITE = "composite"
    MATH = "math"
    GENERAL = "general"
    FLASH = "flash"


SliceSize = Literal["auto", "max"] | int
"""The argument of Diffusers' `enable_attention_slicing`."""


class Cliff(str, Enum):
    """What happens on mps if one array is too large for MPSGraph."""

    ABORT = "abort"
    WRONG = "wrong"


def kind_of(torch: Version, macos: Version | None, shape: AttentionShape, dtype: str) -> Kind:
    """How mps computes attention with these releases of PyTorch and macOS.

    Before macOS 15 PyTorch uses MPSGraph only for contiguous inputs, and Diffusers' are not.
    """
    if torch < Version("2.5"):
        return Kind.COMPOSITE
    if macos is not None and macos < Version("15"):
        return Kind.MATH
    flash = keeps_no_scores(torch, macos, shape.queries, shape.head_size, dtype)
    return Kind.FLASH if flash else Kind.GENERAL


def score_itemsize(dtype: str, kind: Kind) -> int:
    """Bytes of one score in the largest array that the computation creates."""
    return ITEMSIZE[dtype] if kind is Kind.COMPOSITE else _FLOAT32


def output_bytes(shape: AttentionShape, dtype: str) -> int:
    """Bytes of the result (batch, heads, queries, head size)."""
    return shape.batch * shape.heads * shape.queries * shape.head_size * ITEMSIZE[dtype]


def temporary_bytes(shape: AttentionShape, dtype: str, kind: Kind) -> int:
    """The peak memory of one unsplit call, without its inputs and output.

    `GENERAL` counts the scores in float32 and the softmax that it returns with its result, as in
    the source of `sdpa_general_mps`. MPSGraph's own use was not measured.
    """
    if kind is Kind.FLASH:
        return 0
    if kind is Kind.GENERAL:
        return shape.scores * (_FLOAT32 + ITEMSIZE[dtype])
    return _composite(shape, dtype, upcast=kind is Kind.MATH)


def _composite(shape: AttentionShape, dtype: str, *, upcast: bool) -> int:
    """Query and key are scaled before they are multiplied; the softmax is a second score matrix.

    `bmm` takes three dimensions. Diffusers stores heads within tokens, so they are copied unless
    there is only one head or one picture. In float32 the softmax looks for rows without a finite
    score (`_safe_softmax`), which takes one byte for each element.
    """
    accurate = _FLOAT32 if upcast else ITEMSIZE[dtype]
    of_head = shape.batch * shape.heads * shape.head_size * accurate
    query, key = of_head * shape.queries, of_head * shape.keys
    copied = shape.batch > 1 and shape.heads > 1
    scores, output = shape.scores * accurate, output_bytes(shape, dtype)
    converted = upcast and accurate != ITEMSIZE[dtype]
    kept = query + (query + 2 * key if converted else 0)
    returned = shape.scores * ITEMSIZE[dtype] if converted else 0
    multiplying = kept + key + (query + key if copied else 0) + scores
    normalising = kept + 2 * scores + (shape.scores if upcast else 0)
    weighing = kept + scores + returned + query
    finishing = max(key if copied else 0, output if converted else 0)
    return max(multiplying, normalising, weighing + finishing) - output


def sliced_bytes(shape: AttentionShape, dtype: str, slice_size: SliceSize) -> int:
    """The same for Diffusers' SlicedAttnProcessor, which calls `baddbmm` twice for each slice.

    A slice is a number of heads of the batch: one for "max", half of a picture's heads for "auto".
    The input of `baddbmm`, its result and the softmax are never alive at the same time; the
    previous slice is.
    """
    together = shape.batch * shape.heads
    heads = min(_slice_heads(shape.heads, slice_size), together)
    one = heads * shape.queries * ITEMSIZE[dtype]
    before = one * shape.head_size if heads < together else 0
    return 2 * one * shape.keys + before


def bounded_bytes(shape: AttentionShape, dtype: str, kind: Kind, budget: int) -> int:
    """The same for mpsdoctor's bounded attention, in pieces of `budget` bytes, each of `kind`."""
    return pieces.temporary_bytes(
        (shape.batch, shape.heads, shape.queries),
        shape.keys,
        shape.head_size,
        ITEMSIZE[dtype],
        budget,
        lambda sizes: temporary_bytes(_piece(shape, *sizes), dtype, kind),
    )


def cliff(elements: int, dtype: str, kind: Kind, macos: Version | None) -> Cliff | None:
    """What MPSGraph does with a score matrix of `elements`; flash kernels have no such matrix.

    One NDArray of more than 2**32 bytes ends the process up to macOS 15 (pytorch #149261); there
    are no reports from macOS 26. With 2**31 elements or more, results are silently wrong (pytorch
    #179352, ComfyUI #14837).
    """
    if kind is Kind.FLASH:
        return None
    too_long = elements * score_itemsize(dtype, kind) > _NDARRAY_BYTES
    if too_long and (macos is None or macos < _LIFTED):
        return Cliff.ABORT
    return Cliff.WRONG if elements >= _INDEX else None


def sliced_scores(shape: AttentionShape, slice_size: SliceSize) -> int:
    """The number of scores in one of Diffusers' slices."""
    heads = min(_slice_heads(shape.heads, slice_size), shape.batch * shape.heads)
    return heads * shape.queries * shape.keys


def _slice_heads(heads: int, slice_size: SliceSize) -> int:
    if slice_size == "auto":
        return max(heads // 2, 1)
    return 1 if slice_size == "max" else slice_size


def _piece(shape: AttentionShape, batch: int, heads: int, queries: int) -> AttentionShape:
    return AttentionShape(
        batch=batch,
        heads=heads,
        queries=queries,
        keys=shape.keys,
        head_size=shape.head_size,
        masked=shape.masked,
    )
