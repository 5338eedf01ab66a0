"""What must be downloaded of a model, and whether there is enough space for it."""

from pathlib import Path
from typing import Any

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.records import Folder, Volume
from mpsdoctor.hub.cache import Repository
from mpsdoctor.hub.errors import MAKE_ROOM
from mpsdoctor.hub.listing import Listing, RemoteFile
from mpsdoctor.hub.plan import Plan, choose, require_room, survey
from mpsdoctor.hub.selection import Selection
from mpsdoctor.units import GB
from tests.support.hub import blob_id

FILE = RemoteFile(path="unet/weights", size=7 * GB, etag="e" * 64)
UNET = "unet/diffusion_pytorch_model"
INDEX: dict[str, Any] = {"_class_name": "DDIMPipeline", "unet": ["diffusers", "UNet2DModel"]}


def listing(*names: str, index: dict[str, Any] = INDEX) -> Listing:
    """A repository whose files contain their own names."""
    files = [RemoteFile(path=one, size=len(one), etag=blob_id(one.encode())) for one in names]
    return Listing(model="org/name", commit="c" * 40, index=index, files=tuple(files))


def parts(error: MpsDoctorError) -> tuple[str, str, str]:
    return error.title, error.detail, error.hint


def test_the_files_are_those_of_the_variant() -> None:
    """Variant and pickles count as the profile has them."""
    names = [f"{UNET}.safetensors", f"{UNET}.fp16.safetensors", f"{UNET}.bin"]
    plain, fp16 = (choose(listing(*names), variant=one, pickles=False) for one in (None, "fp16"))
    assert plain == Selection(files=(names[0],))
    assert fp16 == Selection(files=(names[1],), with_variant=("unet",))
    pickled = choose(listing(names[2]), variant=None, pickles=True)
    assert pickled == Selection(files=(names[2],))


@pytest.mark.parametrize(
    ("names", "index", "title"),
    [
        ((f"{UNET}.bin",), INDEX, "org/name has only pickled weights"),
        (
            ("unet/own.py", f"{UNET}.bin"),
            INDEX | {"unet": ["own", "Unet"]},
            "org/name does not load without Python code from its repository",
        ),
    ],
)
def test_a_model_that_would_not_load_is_refused(
    names: tuple[str, ...], index: dict[str, Any], title: str
) -> None:
    """Before anything is downloaded, with the component."""
    with pytest.raises(MpsDoctorError) as refused:
        choose(listing(*names, index=index), variant=None, pickles=False)
    assert refused.value.title == title
    assert ": unet. " in refused.value.detail


def test_only_missing_content_is_downloaded_and_once(tmp_path: Path) -> None:
    """Files that are here, and second files with the same content, are not missing."""
    found = listing("a", "bb", "other", "ccc")
    twin = RemoteFile(path="twin", size=found.files[1].size, etag=found.files[1].etag)
    found = Listing(
        model=found.model, commit=found.commit, index=found.index, files=(*found.files, twin)
    )
    repository = Repository(tmp_path / "models--org--name", "c" * 40)
    (repository.folder / "blobs").mkdir(parents=True)
    repository.blob(found.files[0]).write_bytes(b"a")
    repository.partial(found.files[3]).write_bytes(b"c")
    read: list[str] = []

    plan = survey(
        found,
        Selection(files=("a", "bb", "ccc", "twin")),
        tmp_path,
        lambda file, _done: read.append(file.path),
    )

    a, bb, _, ccc, _ = found.files
    assert plan == Plan(repository, files=(a, bb, ccc, twin), missing=(twin, ccc))
    assert (plan.total_bytes, plan.missing_bytes, read) == (1 + 2 + 3, 2 + 2, ["a"])


@pytest.mark.parametrize(
    ("free", "available", "here", "room"),
    [
        (9 * GB, None, 0, None),
        (8 * GB, None, 0, "8.0 GB"),
        (8 * GB, None, GB, None),
        (1 * GB, 9 * GB, 0, None),
        (1 * GB, 8 * GB, 0, "8.0 GB"),
        (None, None, 0, None),
    ],
)
def test_a_download_needs_room_for_the_rest_and_some_to_spare(
    tmp_path: Path, free: int | None, available: int | None, here: int, room: str | None
) -> None:
    """Partial files and purgeable space count, and unknown space is accepted."""
    repository = Repository(tmp_path / "models--org--name", "c" * 40)
    repository.partial(FILE).parent.mkdir(parents=True)
    with repository.partial(FILE).open("wb") as partial:
        partial.truncate(here)
    volume = Volume(free_bytes=free, available_bytes=available)
    cache = Folder(path=str(tmp_path), exists=True, usable=True, volume=volume)
    plan = Plan(repository, files=(FILE,), missing=(FILE,))

    if room is None:
        require_room(plan, cache)
        return
    with pytest.raises(MpsDoctorError) as refused:
        require_room(plan, cache)
    assert parts(refused.value) == (
        "Not enough disk space: 1.0 GB more needed",
        "7.0 GB remain to be downloaded, 2.0 GB must stay free for macOS and pictures, and "
        f"{room} are free at {tmp_path}.",
        MAKE_ROOM,
    )


def test_a_complete_model_needs_no_room(tmp_path: Path) -> None:
    """A full disk does not matter if nothing is missing."""
    volume = Volume(free_bytes=1)
    cache = Folder(path=str(tmp_path), exists=True, usable=True, volume=volume)
    require_room(Plan(Repository(tmp_path, "c" * 40), files=(FILE,), missing=()), cache)


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error comes before any download."""
    cache = Folder(path="/Volumes/Gone/hub", exists=False, usable=False, error="EACCES")
    plan = Plan(Repository(tmp_path, "c" * 40), files=(FILE,), missing=(FILE,))

    with pytest.raises(MpsDoctorError) as refused:
        require_room(plan, cache)
    assert parts(refused.value) == (
        "The Hugging Face cache /Volumes/Gone/hub cannot be used: EACCES",
        "",
        "mpsdoctor explain MPS503",
    )
