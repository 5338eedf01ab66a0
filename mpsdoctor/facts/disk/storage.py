"""A folder and its volume."""

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.disk.volumes import NETWORK, filesystem
from mpsdoctor.facts.records import Folder, HotFolder, Place, Volume

_SECONDS = 10.0
_USER_FOLDERS = frozenset({"desktop", "documents", "downloads"})
_CLOUD_FOLDERS = frozenset({"dropbox", "google drive", "onedrive"})
_CLOUD_LIBRARIES = frozenset({"mobile documents", "cloudstorage"})

# statvfs does not count the space that macOS frees itself when needed. Foundation has that number,
# and JavaScript for Automation can read it; it is 0 for a volume without such a number.
_AVAILABLE = """
ObjC.import("Foundation")
function run(arguments) {
    const key = "NSURLVolumeAvailableCapacityForImportantUsageKey"
    const url = $.NSURL.fileURLWithPath(arguments[0])
    return url.resourceValuesForKeysError([key], null).valueForKey(key).js
}
"""
NO_HOME = "there is no home directory"
AVAILABLE_COMMAND = ("/usr/bin/osascript", "-l", "JavaScript", "-e", _AVAILABLE)


def hot_folder(path: Path, home: Path, run: Runner, kernel: str) -> HotFolder:
    """The hot folder, and whether its subfolders are on the same volume."""
    found = folder(path, home, run, kernel)
    return HotFolder(folder=found, one_volume=_one_volume(Path(found.path)))


def folder(path: Path, home: Path, run: Runner, kernel: str) -> Folder:
    """The facts about `path`, found by using it: a file is created there and deleted at once."""
    if path.parts[:1] == ("~",):  # os.path.expanduser found no home directory
        return Folder(path=str(path), exists=False, usable=False, error=NO_HOME)
    path = Path(os.path.realpath(path))
    ancestor = nearest(path)
    exists = _is_there(path.exists)
    error = _try_to_use(path if exists else ancestor)
    volume = _volume(ancestor, run, kernel)
    return Folder(
        path=str(path),
        exists=exists,
        usable=error is None,
        error=error,
        place=place(path, Path(os.path.realpath(home)), volume.filesystem),
        volume=volume,
        nearest=None if exists else str(ancestor),
    )


def nearest(path: Path) -> Path:
    """`path`, or the nearest folder above it that exists."""
    return next((above for above in (path, *path.parents) if _is_there(above.is_dir)), path)


def place(path: Path, home: Path, volume_type: str | None) -> Place:
    """The kind of place that `path` is in; APFS ignores case."""
    if path.is_relative_to(home):
        parts = [part.casefold() for part in path.relative_to(home).parts]
        first, second = (*parts, "", "")[:2]
        if first in _CLOUD_FOLDERS or (first == "library" and second in _CLOUD_LIBRARIES):
            return Place.CLOUD
        if first in _USER_FOLDERS:
            return Place.USER_FOLDER
    if volume_type in NETWORK:
        return Place.NETWORK
    return Place.EXTERNAL if path.is_relative_to("/Volumes") else Place.ORDINARY


def available_bytes(path: Path, run: Runner) -> int | None:
    """Bytes that macOS can provide at `path`, with purgeable space; None if unknown."""
    text = run((*AVAILABLE_COMMAND, str(path)), _SECONDS).stdout.strip()
    return int(text) or None if text.isdecimal() else None


def _volume(path: Path, run: Runner, kernel: str) -> Volume:
    return Volume(
        filesystem=filesystem(path),
        free_bytes=_free_bytes(path),
        available_bytes=available_bytes(path, run) if kernel == "Darwin" else None,
    )


def _free_bytes(path: Path) -> int | None:
    """The bytes that an ordinary user can still write."""
    try:
        status = os.statvfs(path)
    except OSError:
        return None
    return status.f_bavail * status.f_frsize


def _try_to_use(path: Path) -> str | None:
    """The errno of listing the folder or writing to it; only this reveals privacy protection."""
    try:
        with os.scandir(path) as entries:
            next(entries, None)
        with tempfile.TemporaryFile(dir=path):
            return None
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))


def _one_volume(path: Path) -> bool | None:
    """Whether all subfolders are on the folder's volume; links are followed."""
    try:
        folders = [entry for entry in path.iterdir() if entry.is_dir()]
        volumes = {entry.stat().st_dev for entry in (path, *folders)}
    except OSError:
        return None
    return len(volumes) == 1 if folders else None


def _is_there(question: Callable[[], bool]) -> bool:
    """The answer, or False: before Python 3.14 pathlib raises if access is denied."""
    try:
        return question()
    except OSError:
        return False
