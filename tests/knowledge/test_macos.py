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
    """From 26.2 to 26.3 would be into another; that the panics end with 26.6 is only presumed."""
    last = macos.last_fault_of(Version(release))
    assert (str(last.fixed), last.presumed) == (beyond, presumed) if last else beyond is None


def test_only_a_fault_that_torch_brings_out_limits_torch() -> None:
    """Before PyTorch 2.14 nothing goes wrong on 26.2."""
    limits = [macos.torch_limit(Version(release)) for release in ("26.1", "26.2", "26.3")]
    assert limits == [None, Version("2.14"), None]


def test_every_row_has_a_source() -> None:
    """A fault that nobody has reported is none."""
    assert all(fault.sources and fault.first < fault.fixed for fault in macos.load())
