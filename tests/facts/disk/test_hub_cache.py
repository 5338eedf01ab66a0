"""huggingface_hub's cache, compared with the library itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from mpsdoctor.facts.command import CommandResult
from mpsdoctor.facts.disk import hub_cache
from mpsdoctor.facts.records import HubCache

ASK = "from huggingface_hub.constants import HF_HUB_CACHE; print(HF_HUB_CACHE)"
ENVIRONMENTS: list[dict[str, str]] = [
    {},
    {"XDG_CACHE_HOME": "/x"},
    {"HF_HOME": "~/models"},
    {"HF_HOME": "/m", "XDG_CACHE_HOME": "/x"},
    {"HUGGINGFACE_HUB_CACHE": "$HOME/former"},
    {"HUGGINGFACE_HUB_CACHE": "/former", "HF_HUB_CACHE": "${HOME}/new", "HF_HOME": "/m"},
    {"HF_HUB_CACHE": "/c/$NOT_SET/d"},
]


def nothing(argv: object, timeout: float) -> CommandResult:
    """A machine that answers nothing."""
    return CommandResult(None)


def model(cache: Path, name: str, file: str = "unet/config.json") -> Path:
    """A model with one file, laid out as huggingface_hub does."""
    repository = hub_cache.repository(cache, name)
    blob = repository / "blobs" / "abc"
    link = repository / "snapshots" / "c0ffee" / file
    for path in (blob, link, repository / "refs" / "main"):
        path.parent.mkdir(parents=True, exist_ok=True)
    blob.write_text("{}")
    link.symlink_to(os.path.relpath(blob, link.parent))
    (repository / "refs" / "main").write_text("c0ffee")
    return repository


@pytest.mark.parametrize("variables", ENVIRONMENTS, ids=lambda variables: " ".join(variables))
def test_the_cache_is_where_huggingface_hub_says(variables: dict[str, str], tmp_path: Path) -> None:
    """Every variable and default has the same effect as in the installed library."""
    environ = {"HOME": str(tmp_path), **variables}
    asked = subprocess.run(
        [sys.executable, "-c", ASK], env=environ, capture_output=True, text=True, check=True
    )
    assert Path(asked.stdout.strip()) == hub_cache.location(environ, tmp_path)


def test_a_whole_cache_has_no_fault(tmp_path: Path) -> None:
    """A model without broken links is in order, and so is a missing cache."""
    environ = {"HF_HUB_CACHE": str(tmp_path / "hub")}
    empty = hub_cache.read(environ, tmp_path, nothing, "Linux")
    assert (empty.folder.exists, empty.damaged, empty.unfinished) == (False, (), 0)
    model(tmp_path / "hub", "org/one")
    whole = hub_cache.read(environ, tmp_path, nothing, "Linux")
    assert (whole.folder.exists, whole.damaged, whole.unfinished) == (True, (), 0)


def test_gaps_and_leftovers_are_found(tmp_path: Path) -> None:
    """A broken link damages a model; an interrupted download takes space."""
    model(tmp_path, "org/whole")
    (model(tmp_path, "org/a--b") / "blobs" / "abc").unlink()
    (model(tmp_path, "org/cut") / "blobs" / "def.incomplete").write_bytes(b"12345")
    (model(tmp_path, "org/two") / "blobs" / "ghi.incomplete").write_bytes(b"123")
    (tmp_path / "models--org--two" / "blobs" / "gone.incomplete").symlink_to(tmp_path / "gone")
    (tmp_path / "datasets--org--other" / "blobs").mkdir(parents=True)
    (tmp_path / "datasets--org--other" / "blobs" / "x.incomplete").write_bytes(b"1")
    found = hub_cache.read({"HF_HUB_CACHE": str(tmp_path)}, tmp_path, nothing, "Linux")
    assert found == HubCache(
        folder=replace(found.folder, path=str(tmp_path.resolve()), exists=True, usable=True),
        damaged=("org/a/b",),
        unfinished=2,
        unfinished_bytes=8,
    )
    assert (tmp_path / "models--org--two").is_dir()


def test_a_model_has_its_folder_in_the_cache(tmp_path: Path) -> None:
    """Slashes become two hyphens, as huggingface_hub names it."""
    assert hub_cache.repository(tmp_path, "org/name") == tmp_path / "models--org--name"


def test_without_a_home_directory_the_cache_is_nowhere() -> None:
    """`~` stays, so that no folder of that name is made."""
    assert hub_cache.location({}, Path("~")) == Path("~/.cache/huggingface/hub")
    assert hub_cache.location({"HF_HUB_CACHE": "~"}, Path("/home/me")) == Path("/home/me")
    assert hub_cache.location({"HF_HUB_CACHE": "~you/x"}, Path("/home/me")) == Path("~you/x")
    below = hub_cache.location({"HF_HUB_CACHE": "a/../b"}, Path("/home/me"))
    assert below == Path.cwd() / "b"
