"""Lists and streams a hub's files; nearly everything that calls huggingface_hub is here."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.disk import model_index
from mpsdoctor.hub.errors import no_diffusers_model, no_hub
from mpsdoctor.hub.listing import Listing, RemoteFile
from mpsdoctor.install_commands import install_line_here
from mpsdoctor.version import __version__

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

_SECONDS = 30.0
_CHUNK = 1 << 16


def require_library() -> None:
    """Imports huggingface_hub and silences its advice.

    Raises MpsDoctorError if it is missing or fails to import.
    """
    try:
        from huggingface_hub.utils import logging
    except ImportError as error:
        raise MpsDoctorError(
            "huggingface_hub is missing or fails to import",
            detail=f"{type(error).__name__}: {error}",
            hint=f"Install it: {install_line_here('huggingface_hub')}",
        ) from error
    logging.set_verbosity_error()


def describe(model: str) -> Listing:
    """The newest commit of `model`, a Hugging Face id.

    Raises MpsDoctorError if the answer is not that of a hub, or the repository is not a Diffusers
    model. Also raises the errors that `hub.errors.explained` explains.
    """
    from huggingface_hub import HfApi

    api = HfApi(library_name="mpsdoctor", library_version=__version__)
    try:
        info = api.model_info(model, files_metadata=True, timeout=_SECONDS)
        files = tuple(_file(sibling) for sibling in info.siblings)
        commit = _hexadecimal(info.sha)
    except (AttributeError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise no_hub(error) from error
    named = {file.path: file for file in files}
    if model_index.FILE not in named:
        raise no_diffusers_model(model, list(named))
    with stream(model, commit, named[model_index.FILE], 0) as (_, chunks):
        text = b"".join(chunks)
    try:
        index = json.loads(text)
        return Listing(model=model, commit=commit, index=dict(index), files=files)
    except (TypeError, ValueError) as error:
        raise no_hub(error) from error


@contextmanager
def stream(
    model: str, commit: str, file: RemoteFile, start: int
) -> Iterator[tuple[bool, Iterator[bytes]]]:
    """A file's content from byte `start` on; False if it starts at byte 0 instead.

    `hf_hub_download` is not used: since release 1.18 it never resumes an interrupted download
    (huggingface_hub #4196, #4306). Raises the errors that `hub.errors.explained` explains.
    """
    from huggingface_hub import constants, get_session, hf_hub_url
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

    headers = build_hf_headers(library_name="mpsdoctor", library_version=__version__)
    headers |= {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    request = {"headers": headers, "timeout": constants.HF_HUB_DOWNLOAD_TIMEOUT}
    url = hf_hub_url(model, file.path, revision=commit)
    session = get_session()
    if callable(session.stream):  # httpx, since huggingface_hub 1.0
        with session.stream("GET", url, **request) as response:
            hf_raise_for_status(response)
            yield response.status_code == 206, response.iter_bytes()
    else:  # requests
        with session.get(url, stream=True, **request) as response:
            hf_raise_for_status(response)
            yield response.status_code == 206, response.iter_content(_CHUNK)


def _file(sibling: "RepoSibling") -> RemoteFile:
    """Checks the path and the etag, because they become file names on this disk."""
    path = PurePosixPath(sibling.rfilename)
    if path.is_absolute() or ".." in path.parts:
        raise TypeError(f"{path} is not a name inside a repository")
    etag = _hexadecimal(sibling.lfs.sha256 if sibling.lfs else sibling.blob_id)
    return RemoteFile(path=str(path), size=int(sibling.size), etag=etag)


def _hexadecimal(digest: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", digest):
        raise TypeError(f"{digest} is not a digest")
    return digest
