"""Names."""

import os
from fnmatch import fnmatchcase

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mpsdoctor.files import MAX_NAME_BYTES, folded, numbered
from mpsdoctor.hotfolder.spool.job import Failure, Job, new_job
from mpsdoctor.hotfolder.spool.names import (
    IGNORED,
    error_name,
    is_ignored,
    is_prompt_name,
    readable,
    split,
)
from tests.support.jobs import nfd

# Whatever Linux allows in a name, bytes that are not UTF-8 included.
anything = st.binary(min_size=1, max_size=255).map(
    lambda raw: os.fsdecode(raw.replace(b"/", b"_").replace(b"\0", b"_"))
)


@given(anything, st.integers(1, 10**6), st.integers(1, 10**6))
def test_every_numbered_name_fits_and_is_another(name: str, first: int, second: int) -> None:
    """However long a name is, its numbered names fit, keep the suffix and differ."""
    stem, suffix = split(readable(name))
    one, other = numbered(stem, suffix, first), numbered(stem, suffix, second)
    assert len(one.encode()) <= MAX_NAME_BYTES
    assert one.endswith(suffix)
    assert (one == other) == (first == second)
    assert len(error_name(one).encode()) <= MAX_NAME_BYTES


@given(anything)
def test_a_job_survives_its_file(name: str) -> None:
    """A job survives JSON, whatever the name of its file is."""
    job = replace(
        new_job(name),
        pictures=3,
        attempts={1: 2, 3: 1},
        losses={3: ("SIGABRT", "hang while it denoised")},
        published={1: readable(name)},
        failures={3: Failure(title="It did not work", prompt=readable(name))},
    )
    assert msgspec.json.decode(msgspec.json.encode(job), type=Job) == job


OF_PROGRAMS = (
    "._cat.txt",
    ".DS_Store",
    ".cat.txt.icloud",
    ".cat.txt.swp",
    ".goutputstream-1A2B3C",
    ".~lock.cat.txt#",
    ".dropbox.cache",
    ".TemporaryItems",
    ".dat.nosync1234.abcdef",
    ".syncthing.cat.txt.tmp",
    "cat.txt~",
    "#cat.txt#",
    "~$cat.txt",
    "~WRL0001.tmp",
    "~syncthing~cat.txt.tmp",
    "~syncthing~cat.txt",
    "cat.txt.sb-fc8ad3a6-66GHcO",
    "(A Document Being Saved By TextEdit)",
    "(A Document Being Saved By TextEdit 2)",
    "cat.txt.vsctmp",
    "cat.txt.swo",
    "cat.txt.swx",
    "Unconfirmed 12345.crdownload",
    "cat.txt.download",
    "Cat.TXT.Part",
    "cat.txt.partial",
    "cat.txt.opdownload",
    "cat.txt.!sync",
    "cat.txt.tmp",
    "cat.txt.lck",
    "DBTmp12",
    "Icon\r",
    "4913",
    "__MACOSX",
    "@eaDir",
    "desktop.ini",
    "Thumbs.db",
)


@pytest.mark.parametrize("name", OF_PROGRAMS)
def test_names_of_programs_are_ignored(name: str) -> None:
    """Files that editors, browsers, sync tools and Finder leave behind are ignored."""
    assert is_ignored(name)


@pytest.mark.parametrize("pattern", IGNORED)
def test_every_pattern_is_met_by_a_name(pattern: str) -> None:
    """Every pattern matches a known program's name."""
    assert any(fnmatchcase(folded(name), pattern) for name in OF_PROGRAMS)


@given(st.text())
def test_case_and_accents_make_no_difference(name: str) -> None:
    """Case and the form of accents do not change a name."""
    assert folded(folded(name)) == folded(name)
    assert folded(nfd(name)) == folded(name)
    assert is_ignored(nfd(name)) == is_ignored(name)


@pytest.mark.parametrize("name", ["cat.txt", "CAT.TXT", "a ~ b.txt", "parts.txt", "x.tar.txt"])
def test_names_of_prompts_are_taken(name: str) -> None:
    """Prompt files are neither ignored nor taken for something else."""
    assert not is_ignored(name)
    assert is_prompt_name(name)


def test_a_suffix_of_more_than_16_characters_is_none() -> None:
    """Else a sentence with a full stop in it would lose its end."""
    short, long = "." + "x" * 15, "." + "x" * 16
    assert split(f"cat{short}") == ("cat", short)
    assert split(f"cat{long}") == (f"cat{long}", "")
    assert split("a.b.txt") == ("a.b", ".txt")


def test_the_error_file_is_named_after_the_failed_file() -> None:
    """The suffix .txt is dropped and any other kept, so cat.txt and cat.jpg do not collide."""
    assert error_name("cat.txt") == "cat.error.txt"
    assert error_name("cat.jpg") == "cat.jpg.error.txt"
