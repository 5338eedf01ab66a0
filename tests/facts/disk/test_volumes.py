"""Types of volumes."""

from pathlib import Path

import psutil
import pytest

from mpsdoctor.facts.disk.volumes import filesystem, innermost

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


@pytest.mark.parametrize("error", [psutil.AccessDenied(), PermissionError()])
def test_a_system_that_does_not_list_its_volumes_leaves_the_type_unknown(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The check continues without it."""

    def refuse(**_: bool) -> None:
        raise error

    monkeypatch.setattr(psutil, "disk_partitions", refuse)
    assert filesystem(Path("/")) is None
