"""macOS releases with faults in the GPU's driver."""

import pytest
from packaging.version import Version

from mpsdoctor.knowledge import macos


@pytest.mark.parametrize(
    ("release", "beyond", "presumed"),
    [
        ("15.5", None, False),
        ("26.2", "26.6", True),
        ("26.3.1", "26.6", True),
        ("26.5.2", "26.6", True),
        ("26.6", None, False),
        ("27.0", None, False),
    ],
)
def test_an_update_has_to_go_beyond_the_last_fault(
    release: str, beyond: str | None, presumed: bool
) -> None:
    """An update from 26.2 must skip the fault of 26.3, whose end in 26.6 is only presumed."""
    last = macos.last_fault_of(Version(release))
    assert (str(last.fixed), last.presumed) == (beyond, presumed) if last else beyond is None


def test_only_a_fault_that_torch_brings_out_limits_torch() -> None:
    """On 26.2, only PyTorch 2.14 and newer have the fault."""
    limits = [macos.torch_limit(Version(release)) for release in ("26.1", "26.2", "26.3")]
    assert limits == [None, Version("2.14"), None]


def test_every_row_has_a_source() -> None:
    """Every fault has a source and a valid range."""
    assert all(fault.sources and fault.first < fault.fixed for fault in macos.load())
