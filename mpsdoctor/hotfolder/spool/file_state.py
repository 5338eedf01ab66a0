"""What `lstat` says of a directory entry, as far as the hot folder looks at it."""

import os
import stat
import sys
from dataclasses import dataclass

# Finder gives a file that it is still copying a creation date before 1970, and a folder this
# one (1984-01-24 08:00 UTC), and sets the true date when it is done.
_FINDER_BUSY_FOLDER = 443_779_200


# stat(2) flags on macOS: SF_DATALESS, of a file that lies in the cloud only; UF_COMPRESSED, of one
# that may have no blocks of its own.
_DATALESS = 0x40000000
_COMPRESSED = 0x20


@dataclass(frozen=True, slots=True)
class FileState:
    """A directory entry as it looks from outside, without following a symlink.

    `busy`: Finder is still copying it. `dataless`: it lies in the cloud only. `hollow`: it has a
    size but no blocks, as placeholders do, and small files on some network volumes.
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
