"""The files of a model that must be downloaded, and whether there is room for them."""

from dataclasses import dataclass
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.disk import hub_cache
from mpsdoctor.facts.records import Folder
from mpsdoctor.hub.cache import Progress, Repository
from mpsdoctor.hub.errors import MAKE_ROOM, needs_code, only_pickled
from mpsdoctor.hub.listing import Listing, RemoteFile
from mpsdoctor.hub.selection import Selection, select
from mpsdoctor.units import GB, gb

# The free space that `check` requires for pictures and macOS (MPS501).
_SPARE = 2 * GB


@dataclass(frozen=True)
class Plan:
    """All files that the pipeline loads, and those that are missing or damaged on this disk.

    `missing` has only one of several files with the same content.
    """

    repository: Repository
    files: tuple[RemoteFile, ...]
    missing: tuple[RemoteFile, ...]

    @property
    def total_bytes(self) -> int:
        """The size of all contents."""
        return sum({file.etag: file.size for file in self.files}.values())

    @property
    def missing_bytes(self) -> int:
        """The number of bytes that remain to be downloaded."""
        return sum(file.size - self.repository.here_bytes(file) for file in self.missing)


def choose(listing: Listing, *, variant: str | None, pickles: bool) -> Selection:
    """The files that the pipeline loads. Raises MpsDoctorError if mpsdoctor cannot load them."""
    names = [file.path for file in listing.files]
    selection = select(names, listing.index, variant=variant, pickles=pickles)
    if selection.coded:
        raise needs_code(listing.model, selection.coded)
    if selection.pickled:
        raise only_pickled(listing.model, selection.pickled)
    return selection


def survey(listing: Listing, selection: Selection, cache: Path, progress: Progress) -> Plan:
    """Compares the selected files with huggingface_hub's `cache`, without changing anything."""
    repository = Repository(hub_cache.repository(cache, listing.model), listing.commit)
    chosen = frozenset(selection.files)
    files = tuple(file for file in listing.files if file.path in chosen)
    missing = {file.etag: file for file in files if not repository.has(file, progress)}
    return Plan(repository, files, tuple(missing.values()))


def require_room(plan: Plan, cache: Folder) -> None:
    """Raises MpsDoctorError if the cache is unusable, or its volume has too little space.

    Purgeable space counts, because macOS frees it for a download. Unknown space is accepted.
    """
    if not cache.usable:
        raise MpsDoctorError(
            f"The Hugging Face cache {cache.path} cannot be used: {cache.error}",
            hint="mpsdoctor explain MPS503",
        )
    room = cache.volume.available_bytes or cache.volume.free_bytes
    needed = plan.missing_bytes + _SPARE
    if plan.missing and room is not None and room < needed:
        raise MpsDoctorError(
            f"Not enough disk space: {gb(needed - room)} more needed",
            detail=f"{gb(plan.missing_bytes)} remain to be downloaded, {gb(_SPARE)} must stay "
            f"free for macOS and pictures, and {gb(room)} are free at {cache.path}.",
            hint=MAKE_ROOM,
        )
