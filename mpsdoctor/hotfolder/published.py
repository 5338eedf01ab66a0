"""Which pictures of a job are out? Their metadata say so, whatever the images are called now."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from mpsdoctor.files import folded
from mpsdoctor.hotfolder.job import Job, begun
from mpsdoctor.hotfolder.names import title_of
from mpsdoctor.hotfolder.pictures import record_in_picture

_CLOCK_ERROR_NS: Final = 24 * 3600 * 10**9


def find_published(images: Path, jobs: Sequence[Job]) -> dict[str, dict[int, str]]:
    """The names of images in the folder, by job id and picture number, that `jobs` have begun.

    Images that are older than the oldest job are not opened (a day is allowed for clocks that
    were set); the others are, those whose names fit first, then the newest first, until all that
    is missing is found. Raises OSError where the folder cannot be listed.
    """
    missing = {(job.id, number) for job in jobs for number in begun(job)}
    found: dict[str, dict[int, str]] = {}
    if not missing:
        return found
    for path in _likely(images, jobs):
        record = record_in_picture(path)
        if record and (record.job, record.picture) in missing:
            missing.remove((record.job, record.picture))
            found.setdefault(record.job, {})[record.picture] = path.name
            if not missing:
                break
    return found


def _likely(images: Path, jobs: Iterable[Job]) -> Iterator[Path]:
    """The PNG files that may be theirs, the likeliest first."""
    oldest_ns = min(_claimed_ns(job) for job in jobs) - _CLOCK_ERROR_NS
    titles = tuple(folded(title_of(job.name)) for job in jobs)
    candidates = []
    with os.scandir(images) as entries:
        for entry in entries:
            name = folded(entry.name)
            if name.endswith(".png") and (made_ns := _made_ns(entry)) >= oldest_ns:
                candidates.append((not name.startswith(titles), -made_ns, entry.name))
    return (images / name for _, _, name in sorted(candidates))


def _made_ns(entry: "os.DirEntry[str]") -> int:
    """0 for an image that has gone since."""
    try:
        return entry.stat(follow_symlinks=False).st_mtime_ns
    except FileNotFoundError:
        return 0


def _claimed_ns(job: Job) -> int:
    """When the job was made, by the id; 0 where that is no id of ours."""
    time_ns = job.id.partition("-")[0]
    return int(time_ns) if time_ns.isdecimal() else 0
