"""The hub's listings and files, from a hub on loopback."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants
from huggingface_hub.utils import logging

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hub import client, configs
from mpsdoctor.hub.listing import Listing, RemoteFile
from tests.support.hub import Hub, Repository, etag, running

MODEL = "org/name"
WEIGHTS = os.urandom(200_000)
FILES = {
    "model_index.json": b'{"_class_name": "DDIMPipeline"}',
    "README.md": b"# Read me",
    "scheduler/scheduler_config.json": b"{}",
    "tokenizer/tokenizer_config.json": b"{ }",
    "unet/config.json": b"{  }",
    "unet/deep/config.json": b"{   }",
    "unet/weights": WEIGHTS,
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A hub with one model, to which huggingface_hub talks."""
    with running() as hub:
        hub.repositories[MODEL] = Repository(dict(FILES))
        template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no token"))
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        yield hub


def listed(hub: Hub) -> Listing:
    files = tuple(
        RemoteFile(path=name, size=len(content), etag=etag(content))
        for name, content in FILES.items()
    )
    commit = hub.repositories[MODEL].commit
    index = {"_class_name": "DDIMPipeline"}
    return Listing(model=MODEL, commit=commit, index=index, files=files)


def test_a_model_is_listed_at_its_newest_commit(hub: Hub) -> None:
    """Each file with its size and checksum, and the content of model_index.json."""
    assert client.describe(MODEL) == listed(hub)
    assert [path for _, path, _ in hub.asked if MODEL in path] == [
        f"api/models/{MODEL}", f"{MODEL}/resolve/{listed(hub).commit}/model_index.json"
    ]  # fmt: skip


@pytest.mark.parametrize("start", [0, 1, 150_000])
def test_a_file_comes_from_any_byte_on(hub: Hub, start: int) -> None:
    """Also from where the hub sends elsewhere, in pieces, and says whether it could."""
    found = listed(hub)
    with client.stream(MODEL, found.commit, found.files[-1], start) as (continues, chunks):
        pieces = list(chunks)
    assert (b"".join(pieces), continues) == (WEIGHTS[start:], start > 0)
    assert hub.ranges("unet/weights"[5:]) == ([f"bytes={start}-"] if start else [""])


def test_a_refused_file_is_an_error_before_its_first_byte(hub: Hub) -> None:
    """With the status of the answer."""
    found = listed(hub)
    hub.statuses["unet/weights"] = [503]
    with pytest.raises(Exception, match="503"), client.stream(
        MODEL, found.commit, found.files[-1], 0
    ):  # fmt: skip
        pass


@pytest.mark.parametrize(
    "listing",
    [
        b"[]",
        b"null",
        b'"x"',
        b"{}",
        b"{",
        b'{"id": "a/b", "siblings": null}',
        b'{"id": "a/b", "lastModified": 5, "siblings": []}',
    ],
)
def test_a_list_of_files_in_another_form_is_not_from_a_hub(hub: Hub, listing: bytes) -> None:
    """Whatever JSON a server sends in its place, and what is not JSON."""
    hub.listing = listing

    with pytest.raises(MpsDoctorError, match="does not answer as a Hugging Face hub does"):
        client.describe(MODEL)


@pytest.mark.parametrize("index", [b"[1]", b"null", b"{", b"\xff"])
def test_an_index_that_is_not_json_is_not_from_a_hub(hub: Hub, index: bytes) -> None:
    """As from a portal that asks to log in."""
    hub.repositories[MODEL].files["model_index.json"] = index
    with pytest.raises(MpsDoctorError, match="does not answer as a Hugging Face hub does"):
        client.describe(MODEL)
    hub.portal = True
    with pytest.raises(MpsDoctorError, match="does not answer as a Hugging Face hub does"):
        client.describe(MODEL)


def test_a_repository_without_an_index_is_not_a_model_of_diffusers(hub: Hub) -> None:
    """A single file is named."""
    hub.repositories[MODEL] = Repository({"model.safetensors": b"x"})
    with pytest.raises(MpsDoctorError) as refused:
        client.describe(MODEL)
    assert refused.value.title == f"{MODEL} is not a Diffusers model"
    assert "model.safetensors is for programs" in refused.value.detail


GOOD = "a" * 40


@pytest.mark.parametrize(
    ("name", "size", "blob", "sha256", "commit"),
    [
        ("../x", 1, GOOD, None, GOOD),
        ("/x", 1, GOOD, None, GOOD),
        ("a/../../x", 1, GOOD, None, GOOD),
        ("x", None, GOOD, None, GOOD),
        ("x", 1, None, None, GOOD),
        ("x", 1, "../" + GOOD[3:], None, GOOD),
        ("x", 1, GOOD.upper(), None, GOOD),
        ("x", 1, GOOD, "a" * 63, GOOD),
        ("x", 1, GOOD, None, "main"),
        ("x", 1, GOOD, None, None),
    ],
)
def test_names_and_checksums_that_could_leave_the_cache_are_refused(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    size: int | None,
    blob: str | None,
    sha256: str | None,
    commit: str | None,
) -> None:
    """They become paths on this disk, and no honest hub sends them."""
    lfs = SimpleNamespace(sha256=sha256) if sha256 else None
    file = SimpleNamespace(rfilename=name, size=size, blob_id=blob, lfs=lfs)

    class Api:
        def __init__(self, **_: Any) -> None:
            pass

        def model_info(self, *_: Any, **__: Any) -> SimpleNamespace:
            return SimpleNamespace(siblings=[file], sha=commit)

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    with pytest.raises(MpsDoctorError, match="does not answer as a Hugging Face hub does"):
        client.describe(MODEL)


def test_only_small_config_files_are_fetched_for_a_plan(hub: Hub, tmp_path: Path) -> None:
    """Those of the model and of its components, into a folder with the model's name."""
    own = configs.fetch(MODEL, tmp_path)
    assert own == tmp_path / "org--name"
    fetched = [path for path in own.rglob("*") if path.is_file() and ".cache" not in path.parts]
    assert {str(path.relative_to(own)): path.read_bytes() for path in fetched} == {
        name: FILES[name]
        for name in (
            "model_index.json",
            "scheduler/scheduler_config.json",
            "tokenizer/tokenizer_config.json",
            "unet/config.json",
        )
    }


def test_the_library_keeps_its_advice_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors are raised; a library that is missing is an error with the command to install it."""
    before = logging.get_verbosity()
    try:
        client.require_library()
        assert logging.get_verbosity() == logging.ERROR
    finally:
        logging.set_verbosity(before)

    monkeypatch.setitem(sys.modules, "huggingface_hub.utils", None)
    with pytest.raises(MpsDoctorError) as refused:
        client.require_library()
    assert refused.value.title == "huggingface_hub is missing or fails to import"
    assert refused.value.detail.startswith("ModuleNotFoundError: import of huggingface_hub.utils")
    assert refused.value.hint.startswith("Install it: ")
