"""The memory of attention, by formula and as allocated."""

from collections.abc import Iterator

import pytest
import torch
from diffusers.models.attention_processor import Attention
from packaging.version import Version

from mpsdoctor.knowledge.attention import memory
from mpsdoctor.knowledge.attention.memory import Cliff, Kind
from mpsdoctor.knowledge.attention.shape import AttentionShape
from mpsdoctor.planning.storages import LiveStorages
from mpsdoctor.rendering.attention.bounded import bounded_attention
from tests.support.allocations import peak_bytes

Tensors = tuple[torch.Tensor, torch.Tensor, torch.Tensor]

SHAPES = [
    AttentionShape(batch=2, heads=4, queries=256, keys=256, head_size=64),
    AttentionShape(batch=1, heads=1, queries=256, keys=256, head_size=64),
    AttentionShape(batch=2, heads=4, queries=256, keys=77, head_size=64),
    AttentionShape(batch=1, heads=4, queries=300, keys=100, head_size=64),
    AttentionShape(batch=2, heads=1, queries=128, keys=300, head_size=32),
    AttentionShape(batch=2, heads=8, queries=16, keys=16, head_size=160),
]
DTYPES = ["float16", "bfloat16", "float32"]


def tensors(shape: AttentionShape, dtype: str) -> Tensors:
    """Query, key and value as Diffusers passes them: heads within tokens."""

    def one(length: int) -> torch.Tensor:
        sizes = (shape.batch, length, shape.heads, shape.head_size)
        return torch.zeros(sizes, dtype=getattr(torch, dtype)).transpose(1, 2)

    return one(shape.queries), one(shape.keys), one(shape.keys)


@pytest.fixture
def reduced_precision() -> Iterator[None]:
    """As up to 2.4: half precision is not computed in float32."""
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)
    yield
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(False)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_math_attention_takes_what_the_allocator_gives(shape: AttentionShape, dtype: str) -> None:
    """The prediction is exact, except for one flag per row of scores and one number."""
    inputs = tensors(shape, dtype)
    expected = peak_bytes(lambda: torch.ops.aten._scaled_dot_product_attention_math(*inputs))
    predicted = memory.temporary_bytes(shape, dtype, Kind.MATH) + memory.output_bytes(shape, dtype)
    rows = shape.batch * shape.heads * shape.queries
    assert expected - rows - 4 <= predicted <= expected


@pytest.mark.usefixtures("reduced_precision")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_composite_attention_takes_what_its_operations_make(
    shape: AttentionShape, dtype: str
) -> None:
    """The softmax of these releases is a single operation."""
    inputs = tensors(shape, dtype)
    storages = LiveStorages(inputs, grain=1)
    with torch.no_grad(), storages:
        torch.ops.aten._scaled_dot_product_attention_math(*inputs)
    output = memory.output_bytes(shape, dtype)
    assert storages.peak == memory.temporary_bytes(shape, dtype, Kind.COMPOSITE) + output


@pytest.mark.parametrize("slice_size", [1, 2, 4])
@pytest.mark.parametrize("tokens", [77, 256])
def test_sliced_attention_takes_what_diffusers_slices_make(slice_size: int, tokens: int) -> None:
    """The formula equals the traced memory of Diffusers' sliced attention."""
    attention = Attention(query_dim=64, cross_attention_dim=64, heads=4, dim_head=16).eval()
    attention.set_attention_slice(slice_size)
    hidden, text = torch.zeros(2, 256, 64), torch.zeros(2, tokens, 64)
    storages = LiveStorages([hidden, text, *attention.parameters()], grain=1)
    with torch.no_grad(), storages:
        attention(hidden, text)
    shape = AttentionShape(batch=2, heads=4, queries=256, keys=tokens, head_size=16)
    live = 4 * 64 * 2 * (256 + 2 * tokens)
    temporary = memory.sliced_bytes(shape, "float32", slice_size)
    assert storages.peak == live + temporary + memory.output_bytes(shape, "float32")


@pytest.mark.parametrize("budget", [2**12, 2**16, 2**18, 2**30])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_bounded_attention_takes_no_more_than_its_pieces(
    shape: AttentionShape, dtype: str, budget: int
) -> None:
    """The prediction is that of the largest piece, except for one flag per row of scores."""
    inputs = tensors(shape, dtype)

    def attend(*arguments: torch.Tensor, **_: object) -> torch.Tensor:
        result: torch.Tensor = torch.ops.aten._scaled_dot_product_attention_math(*arguments)[0]
        return result

    expected = peak_bytes(lambda: bounded_attention(*inputs, budget=budget, attention=attend))
    temporary = memory.bounded_bytes(shape, dtype, Kind.MATH, budget)
    predicted = temporary + memory.output_bytes(shape, dtype)
    rows = shape.batch * shape.heads * shape.queries
    assert expected - rows - 4 <= predicted <= expected * 1.1 + rows


@pytest.mark.parametrize(
    ("torch_version", "macos", "head_size", "queries", "kind"),
    [
        ("2.4.9", "15.0", 64, 4096, Kind.COMPOSITE),
        ("2.4.9", "14.9", 64, 4096, Kind.COMPOSITE),
        ("2.5", "14.9", 64, 4096, Kind.MATH),
        ("2.5", "15.0", 64, 4096, Kind.GENERAL),
        ("2.5", None, 64, 4096, Kind.GENERAL),
        ("2.13.0", "14.9", 64, 4096, Kind.MATH),
        ("2.12.1", "26.2", 128, 4608, Kind.GENERAL),
        ("2.8.0", "15.2", 64, 1, Kind.FLASH),
        ("2.13.0", "15.2", 64, 4096, Kind.FLASH),
        ("2.13.0", "15.2", 40, 16384, Kind.GENERAL),
        ("2.14.1", "26.2", 512, 16384, Kind.GENERAL),
        ("2.15.0", None, 128, 4608, Kind.FLASH),
    ],
)
def test_mps_keeps_the_scores_until_its_flash_kernels(
    torch_version: str, macos: str | None, head_size: int, queries: int, kind: Kind
) -> None:
    """Flash attention depends on the release, the head size and the number of queries."""
    shape = AttentionShape(batch=2, heads=8, queries=queries, keys=4096, head_size=head_size)
    system = Version(macos) if macos else None
    assert kind == memory.kind_of(Version(torch_version), system, shape, "float16")


@pytest.mark.parametrize(
    ("elements", "kind", "macos", "expected"),
    [
        (2**30, Kind.GENERAL, "15.3", None),
        (2**30 + 1, Kind.GENERAL, "15.3", Cliff.ABORT),
        (2**30 + 1, Kind.COMPOSITE, "13.0", None),
        (2**30 + 1, Kind.GENERAL, "26.0", None),
        (2**31, Kind.GENERAL, "26.0", Cliff.WRONG),
        (2**31, Kind.COMPOSITE, "13.0", Cliff.WRONG),
        (2**34, Kind.FLASH, "15.3", None),
        (2**30 + 1, Kind.MATH, "25.9", Cliff.ABORT),
        (2**30 + 1, Kind.GENERAL, None, Cliff.ABORT),
        (2**31 - 1, Kind.GENERAL, "26.0", None),
        (2**31, Kind.COMPOSITE, None, Cliff.WRONG),
        (2**31 + 1, Kind.COMPOSITE, "15.3", Cliff.ABORT),
    ],
)
def test_the_cliffs(elements: int, kind: Kind, macos: str | None, expected: Cliff | None) -> None:
    """More than 2**32 bytes end the process before macOS 26; 2**31 elements are always wrong."""
    system = Version(macos) if macos else None
    assert expected == memory.cliff(elements, "float16", kind, system)


@pytest.mark.parametrize(
    ("slice_size", "heads"), [("auto", 4), ("max", 1), (1, 1), (3, 3), (16, 16), (99, 16)]
)
def test_a_slice_is_a_number_of_heads(slice_size: memory.SliceSize, heads: int) -> None:
    """At most all heads of the batch, half of a picture's for "auto", and one for "max"."""
    shape = AttentionShape(batch=2, heads=8, queries=10, keys=7, head_size=5)
    assert memory.sliced_scores(shape, slice_size) == heads * 10 * 7
    before = heads * 10 * 5 * 2 if heads < 16 else 0
    assert memory.sliced_bytes(shape, "float16", slice_size) == 2 * heads * 10 * 7 * 2 + before
    single = AttentionShape(batch=1, heads=1, queries=10, keys=7, head_size=5)
    assert memory.sliced_scores(single, "auto") == 10 * 7


def test_the_general_path_keeps_two_score_matrices() -> None:
    """The scores in float32, and the softmax in the model's format; a flash kernel keeps none."""
    shape = AttentionShape(batch=2, heads=3, queries=10, keys=7, head_size=5)
    scores = 2 * 3 * 10 * 7
    kept = {dtype: memory.temporary_bytes(shape, dtype, Kind.GENERAL) for dtype in DTYPES}
    assert kept == {"float16": scores * 6, "bfloat16": scores * 6, "float32": scores * 8}
    assert memory.temporary_bytes(shape, "float16", Kind.FLASH) == 0
