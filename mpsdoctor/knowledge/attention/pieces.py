"""Into which pieces an attention is cut, so that none has a score matrix above a budget.

The budget counts the scores of a piece in float32, whatever the model's number format: so PyTorch's
general path on mps materialises them (`sdpa_general_mps`, since PyTorch 2.5).
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from math import ceil, prod

SCORE_BYTES = 4
"""Of one float32 score."""

LARGEST_BYTES = 2**32 - 1
"""Of the scores of one piece, whatever the budget: above 2**32 bytes Metal may abort the process
(pytorch #149261), from 2**31 elements on results may be wrong (ComfyUI #14837)."""

DEFAULT_BUDGET_MIB = 512
"""For bounded attention where no other budget is asked for."""

FEWEST_ROWS = 17
"""Queries that a piece has room for, whatever the budget, so that the parts of a longer sequence
have 9 at least: with 8 or fewer PyTorch takes other kernels on mps, which are wrong in several
releases (pytorch #163597, #174861, #181133, #184180)."""


def fits(sizes: Sequence[int], keys: int, budget: int) -> bool:
    """Whether the scores of `sizes` (…, queries) against `keys` stay within `budget` bytes."""
    return prod(sizes) * keys * SCORE_BYTES <= min(budget, LARGEST_BYTES)


def largest_piece(sizes: Sequence[int], keys: int, budget: int) -> tuple[int, ...]:
    """How much of each dimension the largest piece has; `sizes` is (…, batch, heads, queries).

    The first dimensions are cut before the last. Keys are never cut: the softmax of a row needs
    all of its scores.
    """
    room = max(min(budget, LARGEST_BYTES) // (SCORE_BYTES * keys), FEWEST_ROWS)
    piece: list[int] = []
    for size in reversed(sizes):
        piece.append(ceil(size / ceil(size / max(room, 1))))
        room //= size
    return tuple(reversed(piece))


def pieces(
    sizes: Sequence[int], keys: int, budget: int, heads_per_key: int = 1
) -> Iterator[tuple[slice, ...]]:
    """Every piece, as its place in each dimension of `sizes`.

    With grouped queries, `heads_per_key` heads share one of key and value. A piece has whole
    groups of heads, or lies within one.
    """
    most = largest_piece(sizes, keys, budget)
    places = [list(_parts(size, part)) for size, part in zip(sizes, most, strict=True)]
    if heads_per_key > 1:
        places[-2] = list(_head_parts(sizes[-2], most[-2], heads_per_key))
    yield from product(*places)


def _parts(size: int, most: int) -> Iterator[slice]:
    """The fewest parts of at most `most`; they differ by one at most."""
    count = ceil(size / most)
    for part in range(count):
        yield slice(size * part // count, size * (part + 1) // count)


def _head_parts(heads: int, most: int, group: int) -> Iterator[slice]:
    for groups in _parts(heads // group, max(most // group, 1)):
        for part in _parts(group, min(most, group)):
            yield slice(groups.start * group + part.start, (groups.stop - 1) * group + part.stop)


def temporary_bytes(
    sizes: Sequence[int],
    keys: int,
    head_size: int,
    element_bytes: int,
    budget: int,
    of_call: Callable[[Sequence[int]], int],
) -> int:
    """What bounded attention holds at its peak besides its inputs and its output.

    That is what PyTorch holds for one call on the largest piece, `of_call(sizes of the piece)`,
    and what that call returns until it is copied to its place: `head_size` elements of
    `element_bytes` for each query. Causal attention that is cut adds a mask, a byte for each query
    and key of the piece.
    """
    if fits(sizes, keys, budget):
        return of_call(sizes)
    piece = largest_piece(sizes, keys, budget)
    return of_call(piece) + prod(piece) * head_size * element_bytes
