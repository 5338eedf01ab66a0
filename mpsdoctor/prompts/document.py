"""Decodes a prompt file's bytes into text."""

import codecs
import re

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.units import MIB

MAX_BYTES = MIB


def read_prompt(data: bytes) -> str:
    """The full text of a prompt file: UTF-8 with or without BOM, or UTF-16 with BOM.

    Raises MpsDoctorError if the file is empty, larger than `MAX_BYTES`, or in another encoding.
    """
    if len(data) > MAX_BYTES:
        raise too_large(len(data))
    text = _decode(data)
    if not text.strip():
        raise MpsDoctorError(
            "This file holds no prompt",
            detail="It is empty or contains only white space.",
            hint="Write what the picture should show into the file and drop it again.",
        )
    return text


def split_lines(text: str) -> list[str]:
    """The lines as editors number them, without their ends."""
    return re.split(r"\r\n|\r|\n", text)


def too_large(size: int) -> MpsDoctorError:
    """The error for a file of `size` bytes; callers can raise it before they read the file."""
    return MpsDoctorError(
        "This file is too large for a prompt",
        detail=f"It has {size:,} bytes; the limit is {MAX_BYTES:,}.",
        hint="Put fewer prompts into the file and drop it again.",
    )


def _decode(data: bytes) -> str:
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_text(str(error)) from error
    if re.search(r"[\x00-\x08\x0e-\x1f\x7f]", text):
        raise _not_text("It contains control characters, as programs and pictures do.")
    if text.lstrip().startswith("{\\rtf"):
        raise _not_text("It is a rich-text document (RTF) with the name of a text file.")
    return text


def _not_text(detail: str) -> MpsDoctorError:
    return MpsDoctorError(
        "This file is not plain text",
        detail=detail,
        hint="Save it as plain text in UTF-8 (in TextEdit: Make Plain Text) and drop it again.",
    )
