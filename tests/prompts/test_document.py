"""Prompt files as people save them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.document import MAX_BYTES, read_prompt, split_lines


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_reads_the_encodings_that_editors_write(encoding: str) -> None:
    """UTF-8 with or without a byte order mark, and UTF-16 with one, give the same prompt."""
    text = "ein roter Kreis, 赤い円\r\n"
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    assert read_prompt((mark + text).encode(encoding)) == text


EMPTY = (
    "This file holds no prompt\n"
    "It is empty or contains only white space.\n"
    "Write what the picture should show into the file and drop it again."
)
CONTROL = "It contains control characters, as programs and pictures do."


def not_text(detail: str) -> str:
    hint = "Save it as plain text in UTF-8 (in TextEdit: Make Plain Text) and drop it again."
    return f"This file is not plain text\n{detail}\n{hint}"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", EMPTY),
        (b" \r\n\t", EMPTY),
        (b"\xef\xbb\xbf", EMPTY),
        (
            b"a" * (MAX_BYTES + 1),
            "This file is too large for a prompt\n"
            "It has 1,048,577 bytes; the limit is 1,048,576.\n"
            "Put fewer prompts into the file and drop it again.",
        ),
        (
            b"\x89PNG\r\n\x1a\n\x00\x00",
            not_text("'utf-8' codec can't decode byte 0x89 in position 0: invalid start byte"),
        ),
        *((b"a" + bytes([code]) + b"b", not_text(CONTROL)) for code in (0, 8, 14, 28, 31, 127)),
        (
            b"\xff\xfe\x00\xd8",
            not_text(
                "'utf-16-le' codec can't decode bytes in position 2-3: unexpected end of data"
            ),
        ),
        (
            b"\xff\xfea",
            not_text("'utf-16-le' codec can't decode byte 0x61 in position 2: truncated data"),
        ),
        (
            b"\n{\\rtf1\\ansi a red circle}",
            not_text("It is a rich-text document (RTF) with the name of a text file."),
        ),
    ],
)
def test_what_is_not_a_prompt_is_refused(data: bytes, error: str) -> None:
    """Each kind of bad file has its own reason and a next step."""
    with pytest.raises(MpsDoctorError) as refused:
        read_prompt(data)
    assert str(refused.value) == error


def test_the_largest_file_and_the_white_space_of_editors_are_read() -> None:
    """A file at the limit is a prompt; tabs, form feeds and line ends are text."""
    assert read_prompt(b"a" * MAX_BYTES) == "a" * MAX_BYTES
    assert read_prompt(b"a\t\n\x0b\x0c\rb ~\xc2\x80") == "a\t\n\x0b\x0c\rb ~\x80"


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
