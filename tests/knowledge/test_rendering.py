"""The number format of a model, and which one to try next."""

import pytest

from mpsdoctor.knowledge import dtypes, rendering
from mpsdoctor.knowledge.device import Device
from mpsdoctor.knowledge.faults import matching
from mpsdoctor.knowledge.versions import parse


@pytest.mark.parametrize(
    ("dtype", "torch", "macos", "other"),
    [
        ("float16", "2.14.1", "15.5", "bfloat16"),
        ("float16", "2.14.1", "13.6", "float32"),
        ("float16", "2.2.2", "15.5", "float32"),
        ("float16", "2.13.0", "26.4", "bfloat16"),
        ("float16", "2.13.0", "27.0", "float32"),
        ("float16", "2.14.1", "27.0", "bfloat16"),
        ("float16", "2.14.1", None, "float32"),
        ("bfloat16", "2.14.1", "15.5", "float32"),
        ("float32", "2.14.1", "15.5", None),
    ],
)
def test_the_next_format_is_one_that_the_gpu_computes(
    dtype: str, torch: str, macos: str | None, other: str | None
) -> None:
    """bfloat16 is next if macOS and torch are known to support it, and always on a CPU."""
    assert other == rendering.instead_of(dtype, Device(torch=parse(torch), macos=parse(macos)))
    assert rendering.instead_of("float16", None) == "bfloat16"


@pytest.mark.parametrize("macos", ["12.6", "13.7", "14.0", "15.5", "26.2", "27.0"])
@pytest.mark.parametrize(
    "torch", ["1.13.1", "2.0.1", "2.2.2", "2.3.0", "2.9.1", "2.13.0", "2.15.0"]
)
def test_whether_there_is_bfloat16_is_one_answer(torch: str, macos: str) -> None:
    """The faults about missing bfloat16 have the same limits as the table of formats."""
    device = Device(torch=parse(torch), macos=parse(macos))
    missing = {"bfloat16-missing", "bfloat16-needs-macos-14"}
    faults = {match.fault.id for match in matching.matches(device)}
    has = dtypes.has_bfloat16(device.torch, device.macos)
    assert has or rendering.instead_of("float16", device) == "float32"
    if has:
        assert not faults & missing
