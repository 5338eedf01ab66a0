"""How attention is cut into pieces."""

from collections.abc import Sequence
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.knowledge.attention.pieces import (
    DEFAULT_BUDGET_MIB,
    FEWEST_ROWS,
    fits,
    largest_piece,
    pieces,
    temporary_bytes,
)

MIB = 2**20


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (2560 * MIB, (2, 20, 4096)),
        (1280 * MIB, (1, 20, 4096)),
        (1279 * MIB, (1, 10, 4096)),
        (130 * MIB, (1, 2, 4096)),
        (64 * MIB, (1, 1, 4096)),
        (63 * MIB, (1, 1, 2048)),
        (1 * MIB, (1, 1, 64)),
    ],
)
def test_pictures_are_cut_first_then_heads_then_queries(
    budget: int, expected: tuple[int, ...]
) -> None:
    """For SDXL's 4096 tokens, pieces are as large as possible and of equal size."""
    assert expected == largest_piece((2, 20, 4096), keys=4096, budget=budget)


def test_no_piece_exceeds_what_metal_can_handle() -> None:
    """Whatever the budget: one score more than fits makes two pieces."""
    most = 2**30 - 1
    assert fits((most,), 1, 2**40)
    assert not fits((most + 1,), 1, 2**40)
    assert fits((3, 5), 7, 420)
    assert not fits((3, 5), 7, 419)
    assert largest_piece((most,), 1, 2**40) == (most,)
    assert largest_piece((most + 1,), 1, 2**40) == (2**29,)
    assert (FEWEST_ROWS, DEFAULT_BUDGET_MIB) == (17, 512)
    assert largest_piece((33,), 1000, 1) == (17,)
    heads = [slice(head, head + 1) for head in range(3)]
    assert list(pieces((3, 17), 1, 1)) == [(head, slice(0, 17)) for head in heads]


def test_a_cut_attention_keeps_the_result_of_a_piece() -> None:
    """An attention that fits is one call, without a copy."""
    asked: list[Sequence[int]] = []

    def of_call(sizes: Sequence[int]) -> int:
        asked.append(tuple(sizes))
        return 1000

    sizes = (2, 20, 4096)
    fitting = temporary_bytes(sizes, 4096, 64, 2, 2560 * MIB, of_call)
    cut = temporary_bytes(sizes, 4096, 64, 2, 64 * MIB, of_call)
    assert (fitting, cut) == (1000, 1000 + 4096 * 64 * 2)
    assert asked == [sizes, (1, 1, 4096)]


@given(
    batch=st.integers(1, 3),
    groups=st.integers(1, 6),
    group=st.integers(1, 4),
    queries=st.integers(1, 80),
    keys=st.integers(1, 9),
    budget=st.integers(1, 2000),
)
def test_every_query_is_in_one_piece(
    batch: int, groups: int, group: int, queries: int, keys: int, budget: int
) -> None:
    """Pieces cover every query once, respect groups of heads, and never have few queries."""
    sizes = (batch, groups * group, queries)
    covered = [
        (picture, head, query)
        for of_batch, of_heads, of_queries in pieces(sizes, keys, budget, group)
        for picture in range(of_batch.start, of_batch.stop)
        for head in range(of_heads.start, of_heads.stop)
        for query in range(of_queries.start, of_queries.stop)
    ]

    assert len(covered) == len(set(covered)) == prod(sizes)
    for place in pieces(sizes, keys, budget, group):
        _, heads, rows = place
        assert heads.start // group == (heads.stop - 1) // group or (
            heads.start % group == heads.stop % group == 0
        )
        assert rows.stop - rows.start >= min(queries, FEWEST_ROWS // 2 + 1)
        count = prod(part.stop - part.start for part in place)
        assert count <= max(budget // (4 * keys), FEWEST_ROWS)
