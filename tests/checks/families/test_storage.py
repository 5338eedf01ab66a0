"""MPS5xx: free space, the Hugging Face cache and the hot folder."""

import errno
import os
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from mpsdoctor.checks.registry import CHECKS
from mpsdoctor.checks.report import Finding, NoAnswerError, Severity
from mpsdoctor.facts.command import run
from mpsdoctor.facts.disk import storage
from mpsdoctor.facts.records import (
    Environment,
    Facts,
    Folder,
    HotFolder,
    HubCache,
    ModelFiles,
    ModelState,
    Place,
    Volume,
)
from tests.support.machines import MACHINES

GB = 10**9
BY_ID = {check.id: check for check in CHECKS}
STORAGE = [check for check in BY_ID if check.startswith("MPS5")]
MAC = msgspec.json.decode(
    (MACHINES / "m2-pro-macos-14.7.4-torch-2.6.0.json").read_text(encoding="utf-8"), type=Facts
)
LINUX = msgspec.json.decode((MACHINES / "linux-bare.json").read_text(encoding="utf-8"), type=Facts)
ROOMY = Volume(filesystem="apfs", free_bytes=200 * GB, available_bytes=300 * GB)


def folder(
    error: str | None = None,
    place: Place = Place.ORDINARY,
    volume: Volume = ROOMY,
    exists: bool = True,
) -> Folder:
    """A folder in order, except for the arguments."""
    return Folder(
        path="/Users/jo/my folder",
        exists=exists,
        usable=error is None,
        error=error,
        place=place,
        volume=volume,
    )


def hot(found: Folder, *, one_volume: bool | None = True, facts: Facts = MAC) -> Facts:
    """A machine with this hot folder."""
    return replace(facts, hot_folder=HotFolder(folder=found, one_volume=one_volume))


def cache(
    found: HubCache, model: ModelState | None = None, values: dict[str, str] | None = None
) -> Facts:
    """A Mac with this cache, in which `model` is, and these variables."""
    files = None if model is None else ModelFiles(model="org/name", state=model)
    return replace(
        MAC,
        hub_cache=found,
        model_files=files,
        environment=Environment(variables=dict(values or {})),
    )


def severity(finding: Finding | None) -> Severity | None:
    """How much it matters, if there is one."""
    return finding.severity if finding else None


@pytest.mark.parametrize("check", STORAGE)
def test_storage_in_order_gives_no_finding_and_storage_unseen_no_answer(check: str) -> None:
    """With a large local disk no check finds anything; without facts none has an answer."""
    facts = hot(folder(), facts=cache(HubCache(folder=folder())))
    assert BY_ID[check].examine(facts) is None
    with pytest.raises(NoAnswerError, match="was not examined"):
        BY_ID[check].examine(MAC)


@pytest.mark.parametrize(
    ("free", "expected"),
    [
        (200 * 10**6 - 1, Severity.ERROR),
        (200 * 10**6, Severity.WARNING),
        (2 * GB - 1, Severity.WARNING),
        (2 * GB, None),
    ],
)
def test_pictures_need_space_that_is_free_now(free: int, expected: Severity | None) -> None:
    """Purgeable space is shown, but does not count."""
    volume = Volume(free_bytes=free, available_bytes=100 * GB)
    finding = BY_ID["MPS501"].examine(hot(folder(volume=volume)))
    assert severity(finding) is expected
    assert finding is None or "that macOS can clear" in finding.observed


@pytest.mark.parametrize(
    ("free", "available", "expected"),
    [
        (3, 10, Severity.NOTE),
        (3, 9.9, Severity.WARNING),
        (3, None, Severity.WARNING),
        (9.9, None, Severity.WARNING),
        (10, None, None),
    ],
)
def test_a_model_needs_space_that_macos_can_clear(
    free: float, available: float | None, expected: Severity | None
) -> None:
    """Enough purgeable space makes the finding a note."""
    volume = Volume(
        free_bytes=int(free * GB),
        available_bytes=None if available is None else int(available * GB),
    )
    found = HubCache(folder=folder(volume=volume))
    assert severity(BY_ID["MPS502"].examine(cache(found))) is expected
    assert severity(BY_ID["MPS502"].examine(cache(found, model=ModelState.PARTIAL))) is expected
    assert BY_ID["MPS502"].examine(cache(found, model=ModelState.COMPLETE)) is None


@pytest.mark.parametrize(
    ("model", "free", "needed"),
    [
        ("black-forest-labs/FLUX.1-dev", 12, "34.0 GB or more for black-forest-labs/FLUX.1-dev"),
        ("black-forest-labs/FLUX.1-dev", 35, None),
        ("stable-diffusion-v1-5/stable-diffusion-v1-5", 3, None),
        ("org/name", 9, "10.0 GB or more; SDXL is 7 GB"),
    ],
)
def test_the_space_is_that_of_the_model(model: str, free: int, needed: str | None) -> None:
    """If the model's size is not known, 10 GB are needed."""
    volume = Volume(free_bytes=free * GB)
    facts = replace(
        cache(HubCache(folder=folder(volume=volume))),
        model_files=ModelFiles(model=model, state=ModelState.ABSENT),
    )
    finding = BY_ID["MPS502"].examine(facts)
    assert (needed is not None) is (finding is not None)
    assert finding is None or finding.expected.startswith(needed or "")


@pytest.mark.parametrize("error", ["EPERM", "EACCES", "EROFS", "ENOTDIR"])
@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_that_cannot_be_used_is_a_warning(error: str, exists: bool) -> None:
    """System Settings are named only for EPERM, for the cache and the hot folder."""
    broken = folder(error, exists=exists)
    for finding in (
        BY_ID["MPS503"].examine(cache(HubCache(folder=broken))),
        BY_ID["MPS505"].examine(hot(broken)),
    ):
        assert finding is not None
        assert finding.severity is Severity.WARNING
        assert error in finding.observed
        assert (error == "EPERM") is ("Privacy & Security" in finding.remedy.text)
        assert (error == "EPERM") is (finding.remedy.commands == ())


def test_whose_folder_it_is_is_asked_of_one_that_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a folder cannot be created, the command shows the folder above it."""

    def refuse(path: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    theirs = tmp_path / "not mine"
    theirs.mkdir()
    monkeypatch.setattr(os, "scandir", refuse)
    missing = storage.folder(theirs / "cache" / "hub", tmp_path, run, "Linux")

    for finding in (
        BY_ID["MPS503"].examine(cache(HubCache(folder=missing))),
        BY_ID["MPS505"].examine(hot(missing)),
    ):
        assert finding is not None
        assert "cannot be created: EACCES" in finding.observed
        assert finding.remedy.commands == (f"ls -lde '{theirs.resolve()}'",)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (Place.ORDINARY, None),
        (Place.EXTERNAL, Severity.NOTE),
        (Place.CLOUD, Severity.WARNING),
        (Place.NETWORK, Severity.WARNING),
        (Place.USER_FOLDER, Severity.WARNING),
    ],
)
def test_the_cache_belongs_on_a_local_disk(place: Place, expected: Severity | None) -> None:
    """An external disk is a note, other places are warnings."""
    finding = BY_ID["MPS503"].examine(cache(HubCache(folder=folder(place=place))))
    assert severity(finding) is expected


@pytest.mark.parametrize(
    ("values", "ignored"),
    [
        ({"TRANSFORMERS_CACHE": "/t"}, "TRANSFORMERS_CACHE"),
        ({"HF_HUB_CACHE": "/a", "HUGGINGFACE_HUB_CACHE": "/b"}, "HUGGINGFACE_HUB_CACHE"),
        ({"HF_HUB_CACHE": "/a", "HUGGINGFACE_HUB_CACHE": "/a"}, None),
        ({"HUGGINGFACE_HUB_CACHE": "/b"}, None),
        ({"HF_HOME": "/a", "HF_HUB_CACHE": "/a/hub"}, None),
    ],
)
def test_a_variable_that_leads_nowhere_is_a_note(
    values: dict[str, str], ignored: str | None
) -> None:
    """A variable that current releases ignore is a note."""
    finding = BY_ID["MPS503"].examine(cache(HubCache(folder=folder()), None, values))
    assert severity(finding) is (Severity.NOTE if ignored else None)
    assert finding is None or finding.remedy.commands == (f"unset {ignored}",)


def test_a_download_completes_a_damaged_model() -> None:
    """Each damaged model has its command; partial downloads alone are a note."""
    damaged = HubCache(folder=folder(), damaged=("org/a b",), unfinished=2, unfinished_bytes=3 * GB)
    finding = BY_ID["MPS504"].examine(cache(damaged))
    assert finding is not None
    assert finding.severity is Severity.WARNING
    assert finding.remedy.commands == ("mpsdoctor pull 'org/a b'", "hf cache prune")
    assert "2 unfinished downloads use 3.0 GB" in finding.observed
    leftovers = replace(damaged, damaged=())
    assert severity(BY_ID["MPS504"].examine(cache(leftovers))) is Severity.NOTE


@pytest.mark.parametrize(("one_volume", "found"), [(True, False), (None, False), (False, True)])
def test_a_hot_folder_is_on_one_volume(one_volume: bool | None, found: bool) -> None:
    """Only folders on different volumes are found."""
    finding = BY_ID["MPS506"].examine(hot(folder(), one_volume=one_volume))
    assert severity(finding) is (Severity.WARNING if found else None)


@pytest.mark.parametrize(
    ("check", "places"),
    [
        ("MPS507", {Place.USER_FOLDER, Place.EXTERNAL}),
        ("MPS508", {Place.CLOUD, Place.NETWORK}),
    ],
)
def test_a_hot_folder_is_where_background_programs_may_be(check: str, places: set[Place]) -> None:
    """Each place has one finding on a Mac, and none on other machines."""
    for place in Place:
        finding = BY_ID[check].examine(hot(folder(place=place)))
        assert severity(finding) is (Severity.WARNING if place in places else None)
        assert BY_ID[check].examine(hot(folder(place=place), facts=LINUX)) is None
