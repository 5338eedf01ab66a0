"""What an examination says of the profile."""

import os
import sys
from pathlib import Path

import pytest

from mpsdoctor.doctor import profile_file
from mpsdoctor.facts.records import ProfileFile
from mpsdoctor.profile import document
from mpsdoctor.profile.choice import Choice

CHOICES = {
    "device": Choice("cpu", "No GPU.", "device"),
    "environment.PYTORCH_MPS_LOW_WATERMARK_RATIO": Choice("0.8", "Below the high one.", "ratio"),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(os.path.realpath(tmp_path)) / "profile.toml"


def test_a_profile_that_is_not_there_has_nothing_to_judge(path: Path) -> None:
    """A check is about to write it."""
    assert ProfileFile(path=str(path)) == profile_file.read(path, {})


def test_what_is_judged_is_read_and_nothing_else(path: Path, tmp_path: Path) -> None:
    """The values in force, those of them that are set by hand, and where the file really lies."""
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


@pytest.mark.parametrize(
    ("text", "environ", "problem", "hint", "mendable"),
    [
        ("dtype = ", {}, "not valid TOML", "Fix that line", True),
        ('dtpye = "float32"', {}, "no setting dtpye", "Did you mean dtype?", True),
        ("width = 3", {"MPSDOCTOR_WIDTH": "640"}, "width cannot be 3", "Picture width", True),
        ("", {"MPSDOCTOR_DTPYE": "x"}, "no setting MPSDOCTOR_DTPYE", "MPSDOCTOR_DTYPE", False),
        ("", {"MPSDOCTOR_WIDTH": "x"}, "MPSDOCTOR_WIDTH cannot be", "Picture width", False),
    ],
)
def test_a_slip_is_told_and_whether_the_file_is_at_fault(
    path: Path, text: str, environ: dict[str, str], problem: str, hint: str, mendable: bool
) -> None:
    """A variable hides no mistake in the file: a daemon may not have it."""
    path.write_text(text)

    found = profile_file.read(path, environ)

    assert found.problem is not None
    assert problem in found.problem
    assert hint in found.hint
    assert mendable is found.mendable


@pytest.mark.skipif(sys.platform != "linux", reason="root, too, cannot read that file of Linux")
def test_a_file_that_cannot_be_read_is_not_mended(path: Path) -> None:
    """What is in it would be lost."""
    path.symlink_to("/proc/self/mem")

    found = profile_file.read(path, {})

    assert found.problem is not None
    assert not found.mendable


def test_a_folder_in_the_place_of_the_file_is_told(path: Path) -> None:
    """A check would otherwise try to write over it."""
    path.mkdir()

    found = profile_file.read(path, {})

    assert "The profile is not a file" in (found.problem or "")
    assert not found.mendable
