"""The error file beside a file that failed."""

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.spool.error_text import error_text
from mpsdoctor.hotfolder.spool.job import Failure, Job

REASON = MpsDoctorError("It did not work", detail="Too dark.", hint="More light.")
WHY = "It did not work\nToo dark.\n\nWhat to do: More light.\n"


def job(pictures: int, *prompts: str, published: dict[int, str] | None = None) -> Job:
    """A job whose first pictures failed."""
    failures = {number: Failure.of(REASON, prompt) for number, prompt in enumerate(prompts, 1)}
    return Job(
        id="1",
        name="cat.txt",
        seed=0,
        pictures=pictures,
        failures=failures,
        published=published or {},
    )


def test_a_file_with_one_picture_has_one_reason() -> None:
    """The picture is not named then."""
    assert error_text(job(1, "a cat"), None) == f"cat.txt was not rendered.\n\n{WHY}"
    assert error_text(job(0), REASON) == f"cat.txt was not rendered.\n\n{WHY}"
    bare = MpsDoctorError("It did not work")
    assert error_text(job(0), bare) == "cat.txt was not rendered.\n\nIt did not work\n"


def test_a_reason_of_the_file_comes_before_those_of_its_pictures() -> None:
    """Images that are published are named all the same, in order."""
    out = {10: "cat-10.png", 2: "cat-2.png"}
    assert error_text(job(10, "a cat", published=out), REASON) == (
        f"cat.txt was not rendered.\n\n{WHY}\n"
        "These images were made from this file and are in the folder images:\n"
        "  cat-2.png\n  cat-10.png\n"
        "To make only the others, delete the finished ones from the file, then drop it again.\n"
    )


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ("a  cat\n on a mat ", "Picture 1: a cat on a mat"),
        ("x" * 60, f"Picture 1: {'x' * 60}"),
        ("x" * 61, f"Picture 1: {'x' * 60}…"),
        ("", "Picture 1"),
    ],
)
def test_a_picture_is_named_by_the_beginning_of_its_prompt(prompt: str, shown: str) -> None:
    """On one line; pictures with the same reason are listed together."""
    assert error_text(job(2, prompt, "a dog"), None) == (
        f"2 of the 2 pictures of cat.txt failed.\n\n{shown}\nPicture 2: a dog\n\n{WHY}"
    )
