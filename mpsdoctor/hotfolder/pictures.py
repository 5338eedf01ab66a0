"""Whose picture is this PNG, and is all of it there?"""

import errno
import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mpsdoctor.prompts.record import PNG_KEY, JobRecord, read_record

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# There is none, or it is one that mpsdoctor did not make.
_NOT_OURS = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES})
_LONGEST_TEXT = 1 << 16
_MOST_CHUNKS = 1 << 16


def record_in_picture(path: Path) -> JobRecord | None:
    """The job record that a whole PNG holds in a text chunk; None for any other file.

    Whole means that the chunks lead to IEND; pixels are not decoded. A text chunk counts if its
    checksum is right and its text, decompressed, has 64 KiB at most. PNG specification, 5.3
    (chunk layout), 11.3.3.2 (tEXt) and 11.3.3.4 (iTXt).

    Raises OSError where the disk refuses: whether the picture is there is not known then.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would wait for its writer
            return None
        with path.open("rb") as file:
            records = [text for keyword, text in _texts(file) if keyword == PNG_KEY.encode()]
    except (EOFError, ValueError):
        return None
    except OSError as error:
        if error.errno in _NOT_OURS:
            return None
        raise
    return read_record(records[0]) if records else None


def _texts(file: BinaryIO) -> Iterator[tuple[bytes, str]]:
    """Keyword and text of each tEXt and iTXt chunk.

    Raises EOFError where the file breaks off or has too many chunks.
    """
    if _read(file, len(_SIGNATURE)) != _SIGNATURE:
        raise EOFError
    for _ in range(_MOST_CHUNKS):
        length, kind = struct.unpack(">I4s", _read(file, 8))
        if kind in (b"tEXt", b"iTXt") and length <= _LONGEST_TEXT:
            data = _read(file, length)
            if _read(file, 4) == struct.pack(">I", zlib.crc32(kind + data)):
                yield from _text(kind, data)
        else:
            file.seek(length, 1)
            _read(file, 4)
        if kind == b"IEND":
            return
    raise EOFError


def _text(kind: bytes, data: bytes) -> Iterator[tuple[bytes, str]]:
    keyword, _, rest = data.partition(b"\0")
    if kind == b"tEXt":
        yield keyword, rest.decode("latin-1")
        return
    compressed, rest = rest[:1] == b"\1", rest[2:]
    _language, _, rest = rest.partition(b"\0")
    _translated, _, text = rest.partition(b"\0")
    try:
        yield keyword, (_inflate(text) if compressed else text).decode()
    except (zlib.error, UnicodeDecodeError):
        return


def _inflate(data: bytes) -> bytes:
    """No more than `_LONGEST_TEXT` bytes of it: what is cut off is no record either."""
    return zlib.decompressobj().decompress(data, _LONGEST_TEXT)


def _read(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise EOFError
    return data
