"""Kinds of disks."""

from pathlib import Path

import pytest

from mpsdoctor.hotfolder.volumes import settle_seconds, volume_type

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
    """A folder lies on the volume that is mounted nearest above it."""
    assert volume_type(Path(path), MOUNTS) == expected


def test_files_on_network_volumes_rest_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This disk is local; if it were another host's, writers would need longer."""
    assert settle_seconds(tmp_path) == 1.0
    monkeypatch.setattr("mpsdoctor.hotfolder.volumes.volume_type", lambda path, mounts: "smbfs")
    assert settle_seconds(tmp_path) == 10.0
