"""How long a dropped file must rest, which depends on the disk that it lies on."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import psutil

_SETTLE_S: Final = 1.0
# Writers on other hosts cache, and their servers tell of a new size late.
_SETTLE_ON_NETWORK_S: Final = 10.0

# The types of mounted volumes, as macOS and Linux name them, whose files lie on another host.
_NETWORK: Final = frozenset(
    {"smbfs", "nfs", "nfs4", "afpfs", "webdav", "ftp", "cifs", "smb3", "9p", "ceph", "glusterfs"}
    | {"fuse.sshfs", "fuse.rclone", "macfuse", "osxfuse", "vboxsf", "virtiofs", "fuse.s3fs"}
)


def settle_seconds(root: Path) -> float:
    """The time without change after which a file is complete. Raises OSError."""
    mounts = {mount.mountpoint: mount.fstype for mount in psutil.disk_partitions(all=True)}
    network = volume_type(root.resolve(), mounts) in _NETWORK
    return _SETTLE_ON_NETWORK_S if network else _SETTLE_S


def volume_type(path: Path, mounts: Mapping[str, str]) -> str:
    """The type of the volume that holds `path`: that of the longest mount point above it."""
    above: Iterable[str] = map(str, (path, *path.parents))
    return next((mounts[place].lower() for place in above if place in mounts), "")
