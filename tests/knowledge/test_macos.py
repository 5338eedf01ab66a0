"""macOS releases with a faulty GPU driver."""

import pytest
from packaging.version import Version

from mpsdoctor.knowledge import macos

CONV3D, PANIC = macos.load()


@pytest.mark.parametrize(
    ("release", "own", "last", "torch"),
    [
        ("15.5", None, None, None),
        ("26.1.9", None, None, None),
        ("26.2", CONV3D, PANIC, "2.14"),
        ("26.2.9", CONV3D, PANIC, "2.14"),
        ("26.3", PANIC, PANIC, None),
        ("26.5.9", PANIC, PANIC, None),
        ("26.6", None, None, None),
        ("27.0", None, None, None),
    ],
)
def test_a_release_has_its_fault_and_an_update_must_pass_the_last(
    release: str,
    own: macos.MacosFault | None,
    last: macos.MacosFault | None,
    torch: str | None,
) -> None:
    """The update that fixes 26.2 has the fault of 26.3; only 26.2 depends on PyTorch."""
    version = Version(release)
    assert (macos.fault_of(version), macos.last_fault_of(version)) == (own, last)
    assert macos.torch_limit(version) == (Version(torch) if torch else None)


def test_the_fix_of_the_panics_is_only_presumed() -> None:
    """The fix of the convolutions is confirmed."""
    assert (CONV3D.presumed, PANIC.presumed) == (False, True)


def test_every_row_has_a_source() -> None:
    """Every fault has a source and a valid range."""
    assert all(fault.sources and fault.first < fault.fixed for fault in macos.load())
