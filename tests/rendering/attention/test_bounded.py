"""Attention in pieces against attention in one."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from mpsdoctor.knowledge.attention.pieces import FEWEST_ROWS, LARGEST_BYTES, temporary_bytes
from mpsdoctor.planning.storages import LiveStorages
from mpsdoctor.rendering.attention.bounded import bounded_attention

pytestmark = pytest.mark.heavy

UNIT_ROUNDOFF = {torch.float32: 2**-24, torch.float16: 2**-11, torch.bfloat16: 2**-8}


Inputs = tuple[Tensor, Tensor, Tensor]


@dataclass
class Call:
    """Arguments of scaled_dot_product_attention."""

    tensors: Inputs
    settings: dict[str, Any]

    @property
    def score_bytes(self) -> int:
        return 4 * prod(scores_of(*self.tensors, gqa=self.settings.get("enable_gqa", False)))


def random_inputs(*shape: int, requires_grad: bool = False) -> Inputs:
    query, key, value = (torch.randn(shape, requires_grad=requires_grad) for _ in range(3))
    return query, key, value


def scores_of(query: Tensor, key: Tensor, value: Tensor, *, gqa: bool) -> list[int]:
    """(…, queries, keys)."""
    others = [list(tensor.shape[:-2]) for tensor in (key, value)]
    if gqa:
        others = [[*shape[:-1], query.shape[-3]] for shape in others]
    leading = torch.broadcast_shapes(query.shape[:-2], *others)  # type: ignore[no-untyped-call]
    return [*leading, query.shape[-2], key.shape[-2]]


@st.composite
def calls(draw: st.DrawFn, dtype: torch.dtype) -> Call:
    """Every form that PyTorch takes: two to five dimensions, broadcast, grouped, masked, causal."""
    random = torch.Generator().manual_seed(draw(st.integers(0, 9999)))
    dimensions = draw(st.integers(2, 5))
    leading = [draw(st.integers(1, 4)) for _ in range(dimensions - 2)]
    queries, keys = draw(st.integers(1, 60)), draw(st.integers(1, 40))
    size, value_size = draw(st.sampled_from([4, 8])), draw(st.sampled_from([4, 8]))
    group = draw(st.sampled_from([1, 2, 3])) if leading else 1

    def tensor(sizes: Sequence[int]) -> Tensor:
        tokens_first = draw(st.booleans()) and len(sizes) > 2
        shape = [*sizes[:-3], sizes[-2], sizes[-3], 2 * sizes[-1]] if tokens_first else sizes
        made = torch.randn(*shape, generator=random).to(dtype)
        return made.transpose(-2, -3)[..., : sizes[-1]] if tokens_first else made

    def broadcast(sizes: Sequence[int]) -> list[int]:
        return [draw(st.sampled_from([1, size])) if draw(st.booleans()) else size for size in sizes]

    of_query = [*leading[:-1], leading[-1] * group] if leading else []
    shared = leading if group > 1 else broadcast(leading)
    tensors = (
        tensor([*of_query, queries, size]),
        tensor([*shared, keys, size]),
        tensor([*shared, keys, value_size]),
    )
    settings: dict[str, Any] = {"scale": draw(st.sampled_from([None, 0.3]))}
    if group > 1:
        settings["enable_gqa"] = True
    masking = draw(st.sampled_from(["none", "causal", "bool", "float"]))
    if masking == "causal":
        settings["is_causal"] = True
    elif masking != "none":
        scores = [*of_query, queries, keys]
        sizes = broadcast(scores)[draw(st.integers(0, len(scores) - 2)) :]
        mask = torch.randn(*sizes, generator=random)
        settings["attn_mask"] = mask > 0 if masking == "bool" else mask.to(dtype)
    return Call(tensors, settings)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@given(data=st.data())
@settings(max_examples=400)
def test_pieces_give_what_the_whole_gives_and_keep_to_the_budget(
    data: st.DataObject, dtype: torch.dtype
) -> None:
    """Any shape, mask and layout, any budget down to a row: equal within rounding."""
    call = data.draw(calls(dtype))
    rows = call.score_bytes // call.tensors[1].shape[-2] // 4
    budget = data.draw(st.integers(1, rows)) * call.tensors[1].shape[-2] * 4
    pieces: list[Call] = []

    def attention(query: Tensor, key: Tensor, value: Tensor, *args: Any, **settings: Any) -> Tensor:
        pieces.append(Call((query, key, value), settings))
        return scaled_dot_product_attention(query, key, value, *args, **settings)

    got = bounded_attention(*call.tensors, **call.settings, budget=budget, attention=attention)

    expected = scaled_dot_product_attention(*call.tensors, **call.settings)
    assert expected.dtype == got.dtype
    torch.testing.assert_close(
        got, expected, rtol=16 * UNIT_ROUNDOFF[dtype], atol=16 * UNIT_ROUNDOFF[dtype]
    )
    queries, keys = call.tensors[0].shape[-2], call.tensors[1].shape[-2]
    most = max(budget, FEWEST_ROWS * keys * 4)
    assert all(piece.score_bytes <= most for piece in pieces)
    assert all(piece.tensors[0].shape[-2] >= min(queries, 9) for piece in pieces)
    assert call.score_bytes == sum(piece.score_bytes for piece in pieces)


@pytest.mark.parametrize("empty", [0, 2, 3])
def test_nothing_to_attend_gives_what_pytorch_gives(empty: int) -> None:
    """No pictures, no queries or an empty value are shapes like others."""
    shape = [2, 3, 20, 8]
    shape[empty] = 0
    query, other = torch.randn(shape), torch.randn(shape[0], 3, 20, 8)

    got = bounded_attention(query, other[..., : shape[3]], other, budget=1)

    assert torch.equal(scaled_dot_product_attention(query, other[..., : shape[3]], other), got)


def test_no_keys_give_zeros_as_in_pytorch() -> None:
    """A softmax over nothing is left to PyTorch."""
    query, other = torch.randn(2, 20, 8), torch.randn(2, 0, 8)

    assert torch.equal(torch.zeros(2, 20, 8), bounded_attention(query, other, other, budget=1))


def test_gradients_are_those_of_the_whole() -> None:
    """Fine-tuning inside a bounded pipeline learns the same."""
    inputs = random_inputs(2, 3, 40, 8, requires_grad=True)

    whole = torch.autograd.grad(scaled_dot_product_attention(*inputs).square().sum(), inputs)
    pieces = torch.autograd.grad(bounded_attention(*inputs, budget=1).square().sum(), inputs)

    for expected, got in zip(whole, pieces, strict=True):
        torch.testing.assert_close(got, expected)


def test_autocast_decides_on_the_number_format_as_it_does_for_the_whole() -> None:
    """Under autocast float32 comes out in half precision."""
    inputs = random_inputs(2, 40, 8)

    with torch.autocast("cpu", torch.bfloat16):
        expected = scaled_dot_product_attention(*inputs)
        got = bounded_attention(*inputs, budget=1)

    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        (torch.randn(2, 40, 8), {"dropout_p": 0.5}),
        (torch.randn(2, 40, 8), {"is_causal": True, "attn_mask": torch.zeros(40, 40)}),
        (torch.nested.nested_tensor([torch.randn(4, 40, 8)], layout=torch.jagged), {}),
    ],
    ids=["dropout", "mask and causal", "nested"],
)
def test_what_cannot_be_cut_reaches_pytorch_whole(query: Tensor, arguments: dict[str, Any]) -> None:
    """The noise of dropout would be another, and PyTorch documents the second as an error."""
    calls: list[dict[str, Any]] = []

    def attention(query: Tensor, *_: Tensor, **arguments: Any) -> Tensor:
        calls.append(arguments)
        return query

    assert query is bounded_attention(
        query, query, query, **arguments, budget=1, attention=attention
    )
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("other", "arguments"),
    [
        ((2, 6, 40, 8), {"attn_mask": torch.zeros(3, 1, 40, 40)}),
        ((2, 6, 40, 8), {"attn_mask": torch.zeros(80, 40)}),
        ((3, 6, 40, 8), {}),
        ((2, 4, 40, 8), {}),
        ((2, 4, 40, 8), {"enable_gqa": True}),
        ((2, 6, 40, 9), {}),
    ],
)
def test_what_pytorch_refuses_is_refused(other: Sequence[int], arguments: dict[str, Any]) -> None:
    """Cutting never makes sense of shapes that do not belong together."""
    query, key = torch.randn(2, 6, 40, 8), torch.randn(*other)

    with pytest.raises(RuntimeError):
        scaled_dot_product_attention(query, key, key, **arguments)
    with pytest.raises(RuntimeError):
        bounded_attention(query, key, key, **arguments, budget=1)


def test_grouped_queries_with_other_values_than_keys_are_left_to_pytorch() -> None:
    """PyTorch takes them; no model has them."""
    query, key, value = (torch.randn(6 // group, 40, 8) for group in (1, 2, 3))

    got = bounded_attention(query, key, value, enable_gqa=True, budget=1)

    assert torch.equal(scaled_dot_product_attention(query, key, value, enable_gqa=True), got)


def test_no_budget_reaches_the_sizes_that_break_metal() -> None:
    """Stable Diffusion 1.5 at 2048×2048: no piece has 2**31 scores, nor 2**32 bytes of them."""
    tensor = torch.empty(2, 8, 65536, 40, dtype=torch.float16, device="meta")
    pieces: list[Call] = []

    def attention(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> Tensor:
        pieces.append(Call((query, key, value), {}))
        return query

    bounded_attention(tensor, tensor, tensor, budget=2**60, attention=attention)

    assert max(piece.score_bytes for piece in pieces) <= LARGEST_BYTES < 2**32
    assert len(pieces) == 2 * 8 * 5


@pytest.mark.parametrize("budget", [2**19, 2**17, 2**14, 1])
def test_memory_is_that_of_the_largest_piece_and_its_output(budget: int) -> None:
    """What is alive besides inputs and output is what `temporary_bytes` says, to the byte."""

    def peak(sizes: Sequence[int], attention: Any) -> int:
        batch, heads, queries = sizes
        shapes = [(batch, heads, length, 64) for length in (queries, 128, 128)]
        inputs = [torch.randn(shape, dtype=torch.float16) for shape in shapes]
        storages = LiveStorages()
        storages.hold(inputs)
        before = storages.live
        with storages, sdpa_kernel(SDPBackend.MATH):
            output = attention(*inputs)
        return storages.peak - before - int(output.nbytes)

    def of_call(sizes: Sequence[int]) -> int:
        return peak(sizes, scaled_dot_product_attention)

    sizes = (2, 4, 128)
    expected = temporary_bytes(sizes, 128, 64, 2, budget, of_call)

    assert expected == peak(sizes, lambda *inputs: bounded_attention(*inputs, budget=budget))
    assert expected <= of_call(sizes)
