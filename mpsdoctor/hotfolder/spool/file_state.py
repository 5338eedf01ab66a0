"""The part of a directory entry's `lstat` that the hot folder uses."""

import os
import stat
import sys
from dataclasses import dataclass

# While Finder copies a file, its creation date is before 1970; a folder's is 1984-01-24 08:00 UTC.
# Finder sets the true date at the end.
_FINDER_BUSY_FOLDER = 443_779_200


# stat(2) flags on macOS: SF_DATALESS, for a file that is only in the cloud; UF_COMPRESSED, for a
# file that may have no blocks.
_DATALESS = 0x40000000
_COMPRESSED = 0x20


@dataclass(frozen=True, slots=True)
class FileState:
    """A directory entry seen from outside, without following a symlink.

    `busy`: Finder is still copying it. `dataless`: it is only in the cloud. `hollow`: it has a
    size but no blocks, like a placeholder or a small file on some network volumes.
    """

    inode: int
    size: int
    mtime_ns: int
    regular: bool = True
    folder: bool = False
    busy: bool = False
    dataless: bool = False
    hollow: bool = False

    @classmethod
    def of(cls, status: os.stat_result, platform: str = sys.platform) -> "FileState":
        """`status` as `os.lstat` gives it."""
        born = getattr(status, "st_birthtime", 0)
        flags = getattr(status, "st_flags", 0)
        regular = stat.S_ISREG(status.st_mode)
        no_blocks = regular and status.st_size > 0 and status.st_blocks == 0
        return cls(
            inode=status.st_ino,
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            regular=regular,
            folder=stat.S_ISDIR(status.st_mode),
            busy=born < 0 or born == _FINDER_BUSY_FOLDER,
            dataless=bool(flags & _DATALESS),
            hollow=no_blocks and platform == "darwin" and not flags & _COMPRESSED,
        )
