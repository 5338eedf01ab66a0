"""What an examination says of the profile."""

import os
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from mpsdoctor.doctor import profile_file
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.records import ProfileFile
from mpsdoctor.profile import document
from mpsdoctor.profile.choice import Choice
from mpsdoctor.profile.loading import load
from mpsdoctor.profile.settings import Profile

CHOICES = {
    "device": Choice("cpu", "No GPU.", "device"),
    "environment.PYTORCH_MPS_LOW_WATERMARK_RATIO": Choice("0.8", "Below the high one.", "ratio"),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(os.path.realpath(tmp_path)) / "profile.toml"


def test_a_profile_that_is_not_there_has_nothing_to_judge(path: Path) -> None:
    """A missing profile has no settings and no problem."""
    assert ProfileFile(path=str(path)) == profile_file.read(path, {})


def test_what_is_judged_is_read_and_nothing_else(path: Path, tmp_path: Path) -> None:
    """Only the judged values, those set by hand, and the real path are read."""
    edits = {"attention": "sliced", "hot_folder": "~/secret", "environment.MY_TOKEN": "hf_x"}
    path.write_text(document.write(CHOICES, edits, "a Mac"))
    link = tmp_path / "link.toml"
    link.symlink_to(path)

    found = profile_file.read(link, {"MPSDOCTOR_DEVICE": "mps"})

    assert (
        ProfileFile(
            path=str(path),
            settings={
                "device": "cpu",
                "dtype": "float16",
                "attention": "sliced",
                "environment.PYTORCH_MPS_LOW_WATERMARK_RATIO": "0.8",
            },
            pinned=("attention",),
        )
        == found
    )


def problem_of(path: Path | None, environ: dict[str, str], *, fixable: bool) -> ProfileFile:
    """The record of a profile that a command would not start with, in that command's words."""
    with pytest.raises(MpsDoctorError) as raised:
        load(Profile, path, environ)
    error = raised.value
    problem = f"{error.title}. {error.detail.rstrip('.')}."
    return ProfileFile(path=str(path), problem=problem, hint=error.hint, fixable=fixable)


@pytest.mark.parametrize(
    ("text", "environ", "named", "fixable"),
    [
        ("dtype = ", {}, "TOML", True),
        ('dtpye = "float32"', {}, "dtpye", True),
        ("width = 3", {"MPSDOCTOR_WIDTH": "640"}, "width", True),
        ("width = 3", {"MPSDOCTOR_DTPYE": "x"}, "width", True),
        ("", {"MPSDOCTOR_DTPYE": "x"}, "MPSDOCTOR_DTPYE", False),
        ("", {"MPSDOCTOR_WIDTH": "x"}, "MPSDOCTOR_WIDTH", False),
    ],
)
def test_a_problem_is_in_the_file_or_in_a_variable(
    path: Path, text: str, environ: dict[str, str], named: str, fixable: bool
) -> None:
    """A problem in the file comes before one in a variable, and only the file can be fixed."""
    path.write_text(text)

    found = profile_file.read(path, environ)

    assert problem_of(path, {} if fixable else environ, fixable=fixable) == found
    assert named in (found.problem or "")


def test_a_variable_can_be_wrong_without_a_file(path: Path) -> None:
    """A problem in a variable is found before there is a profile."""
    found = profile_file.read(path, {"MPSDOCTOR_WIDTH": "x"})

    expected = problem_of(None, {"MPSDOCTOR_WIDTH": "x"}, fixable=False)
    assert replace(expected, path=str(path)) == found


@pytest.mark.skipif(sys.platform != "linux", reason="root, too, cannot read that file of Linux")
def test_a_file_that_cannot_be_read_is_not_fixed(path: Path) -> None:
    """An unreadable file would be lost, so it is not fixable."""
    path.symlink_to("/proc/self/mem")

    found = profile_file.read(path, {})

    assert problem_of(Path("/proc/self/mem").resolve(), {}, fixable=False) == found


def test_a_folder_in_the_place_of_the_file_is_a_problem(path: Path) -> None:
    """A folder in place of the file is a problem, and not fixable."""
    path.mkdir()

    assert problem_of(path, {}, fixable=False) == profile_file.read(path, {})
