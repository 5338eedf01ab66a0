"""macOS releases with faults in the GPU's driver."""

import pytest
from packaging.version import Version

from mpsdoctor.knowledge import macos


@pytest.mark.parametrize(
    ("release", "chip", "cured"),
    [
        ("15.5", "Apple M1", "15.5"),
        ("26.2", "Apple M1", "26.3"),
        ("26.2", "Apple M4 Pro", "26.6"),
        ("26.3.1", "Apple M1 Pro", "26.3.1"),
        ("26.3.1", "Apple M3", "26.6"),
        ("26.5.2", "Apple M5 Max", "26.6"),
        ("26.5.2", None, "26.6"),
        ("27.0", "Apple M5", "27.0"),
    ],
)
def test_a_release_is_cured_by_the_first_without_a_fault(
    release: str, chip: str | None, cured: str
) -> None:
    """26.2 is at fault on every chip, 26.3 to 26.5 on M3 and newer, and a chip not known too."""
    assert Version(cured) == macos.cured(Version(release), chip)
    fault = macos.fault_of(Version(release), chip)
    assert (fault is None) is (release == cured)


def test_every_row_has_a_source() -> None:
    """A fault that nobody has reported is none."""
    assert all(fault.sources and fault.first < fault.fixed for fault in macos.load())
