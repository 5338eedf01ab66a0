"""Names."""

import json
import os

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.files import MAX_NAME_BYTES, numbered
from mpsdoctor.hotfolder.names import (
    error_name,
    is_ignored,
    is_prompt_name,
    readable,
    split,
)
from mpsdoctor.hotfolder.spool import Job, new_job

# Whatever Linux allows in a name, bytes that are not UTF-8 included.
anything = st.binary(min_size=1, max_size=255).map(
    lambda raw: os.fsdecode(raw.replace(b"/", b"_").replace(b"\0", b"_"))
)


@given(anything, st.integers(1, 10**6), st.integers(1, 10**6))
def test_every_numbered_name_fits_and_is_another(name: str, first: int, second: int) -> None:
    """However long the dropped name is, numbers make names that fit, keep the suffix and differ."""
    stem, suffix = split(readable(name))
    one, other = numbered(stem, suffix, first), numbered(stem, suffix, second)
    assert len(one.encode()) <= MAX_NAME_BYTES
    assert one.endswith(suffix)
    assert (one == other) == (first == second)
    assert len(error_name(one).encode()) <= MAX_NAME_BYTES


@given(anything)
def test_a_job_survives_its_file(name: str) -> None:
    """A job is the same after its way through JSON, whatever the file was called."""
    job = new_job(name)
    assert msgspec.convert(json.loads(msgspec.json.encode(job)), Job) == job


@pytest.mark.parametrize(
    "name",
    [
        "._cat.txt",
        ".DS_Store",
        "cat.txt~",
        "#cat.txt#",
        "~$cat.txt",
        "cat.txt.sb-fc8ad3a6-66GHcO",
        "(A Document Being Saved By TextEdit)",
        "cat.txt.crdownload",
        "Cat.TXT.Part",
        ".syncthing.cat.txt.tmp",
        "Icon\r",
        "4913",
    ],
)
def test_names_of_programs_are_ignored(name: str) -> None:
    """What editors, browsers, sync tools and the Finder leave lying is not for us."""
    assert is_ignored(name)


@pytest.mark.parametrize("name", ["cat.txt", "CAT.TXT", "a ~ b.txt", "parts.txt", "x.tar.txt"])
def test_names_of_prompts_are_taken(name: str) -> None:
    """Prompt files are neither ignored nor taken for something else."""
    assert not is_ignored(name)
    assert is_prompt_name(name)


def test_the_error_file_is_named_after_the_failed_file() -> None:
    """A prompt's suffix goes, any other stays, so that cat.txt and cat.jpg do not meet."""
    assert error_name("cat.txt") == "cat.error.txt"
    assert error_name("cat.jpg") == "cat.jpg.error.txt"
