"""Whose picture is this PNG, and is all of it there?"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mpsdoctor.prompts.record import PNG_KEY, job_of

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LONGEST_TEXT = 1 << 20


def job_in_picture(path: Path) -> str | None:
    """The job id that a whole PNG names in its text chunk; None for any other file.

    Whole means that the chunks lead to IEND; pixels are not decoded. PNG specification, 5.3
    (chunk layout) and 11.3.3 (tEXt).
    """
    try:
        with path.open("rb") as file:
            texts = dict(_texts(file))
    except (OSError, EOFError):
        return None
    return job_of(texts.get(PNG_KEY))


def _texts(file: BinaryIO) -> Iterator[tuple[str, str]]:
    """Keyword and text of each tEXt chunk. Raises EOFError where the file breaks off."""
    if _read(file, len(_SIGNATURE)) != _SIGNATURE:
        raise EOFError
    kind = b""
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", _read(file, 8))
        if kind == b"tEXt" and length <= _LONGEST_TEXT:
            keyword, _, text = _read(file, length).partition(b"\0")
            yield keyword.decode("latin-1"), text.decode("latin-1")
        else:
            file.seek(length, 1)
        _read(file, 4)


def _read(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise EOFError
    return data
