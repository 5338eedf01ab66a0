"""Prompt files as people save them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.document import MAX_BYTES, read_prompt, split_lines


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_reads_the_encodings_that_editors_write(encoding: str) -> None:
    """UTF-8 with or without a byte order mark, and UTF-16 with one, give the same prompt."""
    assert (
        read_prompt("ein roter Kreis, 赤い円\r\n".encode(encoding)) == "ein roter Kreis, 赤い円\r\n"
    )


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (b"", "This file holds no prompt"),
        (b" \r\n\t\xef\xbb\xbf"[:4], "This file holds no prompt"),
        (b"\xef\xbb\xbf", "This file holds no prompt"),
        (b"a" * (MAX_BYTES + 1), "This file is too large for a prompt"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "This file is not plain text"),
        (b"a red\x00 circle", "This file is not plain text"),
        (b"\xff\xfe\x00\xd8", "This file is not plain text"),
        (b"a \x1c b", "This file is not plain text"),
        (b"\xff\xfea", "This file is not plain text"),
        (rb"{\rtf1\ansi a red circle}", "This file is not plain text"),
    ],
)
def test_refuses_what_is_no_prompt(data: bytes, title: str) -> None:
    """Each kind of bad file is refused with its own reason and a next step."""
    with pytest.raises(MpsDoctorError) as refused:
        read_prompt(data)
    assert title == refused.value.title
    assert refused.value.hint


def test_lines_are_numbered_as_in_an_editor() -> None:
    """The line ends of all systems count, those that only Unicode knows do not."""
    assert split_lines("a\r\nb\rc\n\nd\x85e\u2028f") == ["a", "b", "c", "", "d\x85e\u2028f"]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_prompt_or_refused(data: bytes) -> None:
    """Whatever is in the file, the answer is some text or an error for the user."""
    try:
        prompt = read_prompt(data)
    except MpsDoctorError:
        return
    assert prompt.strip()
    assert "\0" not in prompt
