"""PyTorch's environment variables, as data."""

import pytest

from mpsdoctor.knowledge import dtypes, variables
from mpsdoctor.knowledge.versions import parse


def test_every_row_has_a_source() -> None:
    """Every row has a source."""
    rows = (*variables.load().variable, variables.load().watermark, *dtypes.load().model)
    assert all(row.sources for row in (*rows, dtypes.load().bfloat16))


def test_the_variables_are_those_of_pytorch() -> None:
    """Each has its kind, and the first release and the time at which PyTorch reads it."""
    known = variables.known()
    assert {name: (one.kind, one.read, one.torch) for name, one in known.items()} == {
        "PYTORCH_ENABLE_MPS_FALLBACK": ("switch", "import", None),
        "PYTORCH_MPS_HIGH_WATERMARK_RATIO": ("ratio", "use", None),
        "PYTORCH_MPS_LOW_WATERMARK_RATIO": ("ratio", "use", None),
        "PYTORCH_MPS_FAST_MATH": ("switch", "use", None),
        "PYTORCH_MPS_PREFER_METAL": ("presence", "use", None),
        "PYTORCH_MPS_DISABLE_PREFILL_ATTENTION": ("switch", "use", None),
        "PYTORCH_MPS_METAL_VERSION": ("value", "use", parse("2.15")),
        "PYTORCH_DEBUG_MPS_ALLOCATOR": ("value", "use", None),
        "PYTORCH_MPS_LOG_PROFILE_INFO": ("value", "use", None),
        "PYTORCH_MPS_TRACE_SIGNPOSTS": ("value", "use", None),
    }
    ratios = variables.load().watermark
    assert (ratios.high, ratios.low, ratios.most) == (1.7, 1.4, 2.0)


@pytest.mark.parametrize(
    ("name", "torch", "reads"),
    [
        ("PYTORCH_MPS_METAL_VERSION", "2.14.9", False),
        ("PYTORCH_MPS_METAL_VERSION", "2.15.0", True),
        ("PYTORCH_MPS_METAL_VERSION", None, True),
        ("PYTORCH_MPS_FAST_MATH", "1.12", True),
        ("PYTORCH_MPS_OF_TOMORROW", "2.15.0", True),
    ],
)
def test_a_torch_reads_a_variable_since_its_release(
    name: str, torch: str | None, reads: bool
) -> None:
    """An unknown release or variable counts as read."""
    assert variables.reads(parse(torch), name) is reads


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PYTORCH_MPS_LOG_WATERMARK_RATIO", [variables.LOW, variables.HIGH]),
        ("PYTORCH_MPS_METAL", []),
        ("PYTORCH_MPS_FALLBACK", ["PYTORCH_ENABLE_MPS_FALLBACK"]),
        ("pytorch_mps_fast_maths", ["PYTORCH_MPS_FAST_MATH"]),
        ("PYTORCH_MPS_XYZZY", []),
    ],
)
def test_a_misspelled_name_means_the_most_similar_ones(name: str, meant: list[str]) -> None:
    """At most two names are offered, the best first."""
    assert variables.meant_by(name) == meant


def test_a_known_name_means_itself() -> None:
    """Every variable is most similar to itself."""
    for name in variables.known():
        assert variables.meant_by(name)[0] == name


@pytest.mark.parametrize(
    ("text", "ratio", "whole"),
    [
        ("0.7", 0.7, True),
        (" .5e0 ", 0.5, True),
        ("-1", -1.0, True),
        ("+2E-1", 0.2, True),
        ("1.", 1.0, True),
        ("x1", 0.0, False),
        ("1.7GB", 1.7, False),
        ("0,8", 0.0, False),
        ("off", 0.0, False),
        ("", 0.0, False),
    ],
)
def test_a_ratio_is_what_the_text_begins_with(text: str, ratio: float, whole: bool) -> None:
    """A ratio is read as by strtod, which silently ignores the rest."""
    assert (ratio, whole) == (variables.ratio(text), variables.is_ratio(text))
