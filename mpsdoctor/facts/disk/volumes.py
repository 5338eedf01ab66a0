"""The volume of a folder, found without touching the volumes, which could hang."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psutil

NETWORK: Final = frozenset(
    {"smbfs", "nfs", "nfs4", "afpfs", "webdav", "ftp", "cifs", "smb3", "9p", "ceph", "glusterfs"}
    | {"fuse.sshfs", "fuse.rclone", "macfuse", "osxfuse", "vboxsf", "virtiofs", "fuse.s3fs"}
)
"""Volume types, in the names of macOS and Linux, whose files are on another host."""


def filesystem(path: Path) -> str | None:
    """The type of the volume of `path`, which is absolute and without links; None if unknown."""
    try:
        mounts = {mount.mountpoint: mount.fstype for mount in psutil.disk_partitions(all=True)}
    except (psutil.Error, OSError):
        return None
    return innermost(path, mounts)


def innermost(path: Path, mounts: Mapping[str, str]) -> str | None:
    """The type of the volume with the longest mount point above `path`.

    `mounts` maps mount points to types.
    """
    above = map(str, (path, *path.parents))
    return next((mounts[place].lower() for place in above if place in mounts), None)
