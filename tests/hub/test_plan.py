"""Whether there is enough space for a download."""

from pathlib import Path

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.records import Folder, Volume
from mpsdoctor.hub.cache import Repository
from mpsdoctor.hub.listing import RemoteFile
from mpsdoctor.hub.plan import Plan, require_room

GB = 10**9
FILE = RemoteFile(path="unet/weights", size=7 * GB, etag="e" * 64)


@pytest.mark.parametrize(
    ("free", "available", "here", "missing"),
    [
        (9 * GB, None, 0, None),
        (8 * GB, None, 0, "Not enough disk space: 1.0 GB more needed"),
        (8 * GB, None, GB, None),
        (1 * GB, 9 * GB, 0, None),
        (1 * GB, 8 * GB, 0, "Not enough disk space: 1.0 GB more needed"),
        (None, None, 0, None),
    ],
)
def test_a_download_needs_room_for_the_rest_and_some_to_spare(
    tmp_path: Path, free: int | None, available: int | None, here: int, missing: str | None
) -> None:
    """Partial files and purgeable space count, and unknown space is accepted."""
    repository = Repository(tmp_path / "models--org--name", "c" * 40)
    repository.partial(FILE).parent.mkdir(parents=True)
    with repository.partial(FILE).open("wb") as partial:
        partial.truncate(here)
    volume = Volume(free_bytes=free, available_bytes=available)
    cache = Folder(path=str(tmp_path), exists=True, usable=True, volume=volume)
    plan = Plan(repository, files=(FILE,), missing=(FILE,))

    if missing is None:
        require_room(plan, cache)
    else:
        with pytest.raises(MpsDoctorError, match=missing):
            require_room(plan, cache)


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error comes before any download."""
    cache = Folder(path="/Volumes/Gone/hub", exists=False, usable=False, error="EACCES")
    plan = Plan(Repository(tmp_path, "c" * 40), files=(FILE,), missing=(FILE,))

    with pytest.raises(MpsDoctorError, match="/Volumes/Gone/hub cannot be used: EACCES"):
        require_room(plan, cache)
