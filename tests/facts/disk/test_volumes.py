"""Types of volumes."""

from pathlib import Path

import pytest

from mpsdoctor.facts.disk.volumes import innermost

MOUNTS = {
    "/": "apfs",
    "/Volumes/Share": "smbfs",
    "/Volumes/Share/inner": "apfs",
    "/net": "NFS",
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/Users/me/mpsdoctor", "apfs"),
        ("/Volumes/Share", "smbfs"),
        ("/Volumes/Share/pictures/hot", "smbfs"),
        ("/Volumes/Share/inner/hot", "apfs"),
        ("/Volumes/Shared", "apfs"),
        ("/net/host/hot", "nfs"),
    ],
)
def test_the_longest_mount_point_above_a_folder_counts(path: str, expected: str) -> None:
    """A folder is on the volume with the nearest mount point above it."""
    assert innermost(Path(path), MOUNTS) == expected


def test_without_mount_points_the_volume_is_not_known() -> None:
    """A sandbox can hide the mount points."""
    assert innermost(Path("/Users/me"), {}) is None
