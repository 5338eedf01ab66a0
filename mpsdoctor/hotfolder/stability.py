"""Is a dropped file complete? Decided by looking twice."""

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Finder gives a file that it is still copying a creation date before 1970, and a folder this
# one (1984-01-24 08:00 UTC), and sets the true date when it is done.
_FINDER_BUSY_FOLDER = 443_779_200


@dataclass(frozen=True)
class Sight:
    """A directory entry as it looks from outside, without following a symlink."""

    inode: int
    size: int
    mtime_ns: int
    regular: bool = True
    folder: bool = False
    busy: bool = False

    @classmethod
    def of(cls, status: os.stat_result) -> "Sight":
        """`status` as `os.lstat` gives it."""
        born = getattr(status, "st_birthtime", 0)
        return cls(
            inode=status.st_ino,
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            regular=stat.S_ISREG(status.st_mode),
            folder=stat.S_ISDIR(status.st_mode),
            busy=born < 0 or born == _FINDER_BUSY_FOLDER,
        )


@dataclass(frozen=True)
class Watched:
    """A sight, and the monotonic time in seconds since which it has not changed."""

    sight: Sight
    since: float


def observe(
    before: Mapping[str, Watched], sights: Mapping[str, Sight], now: float
) -> dict[str, Watched]:
    """Another look at the inbox: what has changed starts anew, what has gone is forgotten."""

    def watched(name: str, sight: Sight) -> Watched:
        known = before.get(name)
        return known if known and known.sight == sight else Watched(sight, now)

    return {name: watched(name, sight) for name, sight in sights.items()}


def complete(
    watched: Mapping[str, Watched], now: float, *, settle: float, patience: float
) -> Iterable[str]:
    """The names that have not changed for `settle` seconds, oldest first.

    Empty files and folders are given `patience` seconds: programs create a file before they
    fill it, and what happens deep inside a folder does not show on the folder.
    """

    def is_complete(entry: Watched) -> bool:
        sight = entry.sight
        slow = sight.folder or (sight.regular and sight.size == 0)
        return not sight.busy and now - entry.since >= (patience if slow else settle)

    names = (name for name, entry in watched.items() if is_complete(entry))
    return sorted(names, key=lambda name: (watched[name].sight.mtime_ns, name))
