"""How attention is cut into pieces, so that no piece has a score matrix above a budget.

The budget counts the scores of a piece in float32, regardless of the model's number format. That is
how PyTorch's general path on mps stores them (`sdpa_general_mps`, since PyTorch 2.5).
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from math import ceil, prod

SCORE_BYTES = 4
"""The size of one float32 score."""

LARGEST_BYTES = 2**32 - 1
"""The scores of one piece may not be larger, regardless of the budget. Above 2**32 bytes Metal may
abort the process (pytorch #149261); with 2**31 elements results may be wrong (ComfyUI #14837)."""

DEFAULT_BUDGET_MIB = 512
"""The default budget of bounded attention."""

FEWEST_ROWS = 17
"""A piece has room for this many queries, regardless of the budget. The parts of a longer sequence
then have at least 9. With 8 or fewer, PyTorch uses other kernels on mps, which are wrong in several
releases (pytorch #163597, #174861, #181133, #184180)."""


def fits(sizes: Sequence[int], keys: int, budget: int) -> bool:
    """Whether the scores of `sizes` (…, queries) against `keys` stay within `budget` bytes."""
    return prod(sizes) * keys * SCORE_BYTES <= min(budget, LARGEST_BYTES)


def largest_piece(sizes: Sequence[int], keys: int, budget: int) -> tuple[int, ...]:
    """The size of the largest piece in each dimension; `sizes` is (…, batch, heads, queries).

    The first dimensions are cut before the last. Keys are never cut: the softmax of a row needs
    all scores of the row.
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
    """Every piece, as a slice of each dimension of `sizes`.

    With grouped queries, `heads_per_key` heads share one key and value. A piece either has complete
    groups of heads, or is part of one group.
    """
    most = largest_piece(sizes, keys, budget)
    places = [list(_parts(size, part)) for size, part in zip(sizes, most, strict=True)]
    if heads_per_key > 1:
        places[-2] = list(_head_parts(sizes[-2], most[-2], heads_per_key))
    yield from product(*places)


def _parts(size: int, most: int) -> Iterator[slice]:
    """The fewest parts of at most `most`; their sizes differ by at most one."""
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
    """The peak memory of bounded attention, without its inputs and output.

    It is the memory of one call on the largest piece, `of_call(sizes of the piece)`, plus that
    call's result until it is copied: `head_size` elements of `element_bytes` for each query. Causal
    attention that is cut adds a mask, one byte for each query and key of the piece.
    """
    if fits(sizes, keys, budget):
        return of_call(sizes)
    piece = largest_piece(sizes, keys, budget)
    return of_call(piece) + prod(piece) * head_size * element_bytes
