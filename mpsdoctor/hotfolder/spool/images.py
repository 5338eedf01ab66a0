"""Whose picture is this PNG, and is all of it there?"""

import errno
import os
import stat
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from mpsdoctor.files import folded
from mpsdoctor.hotfolder.spool.job import Job, begun
from mpsdoctor.hotfolder.spool.names import title_of
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


_CLOCK_ERROR_NS: Final = 24 * 3600 * 10**9


def find_published(images: Path, jobs: Sequence[Job]) -> dict[str, dict[int, str]]:
    """The names of images in the folder, by job id and picture number, that `jobs` have begun.

    Images that are older than the oldest job are not opened (a day is allowed for clocks that
    were set); the others are, those whose names fit first, then the newest first, until all that
    is missing is found. Raises OSError where the folder cannot be listed.
    """
    missing = {(job.id, number) for job in jobs for number in begun(job)}
    found: dict[str, dict[int, str]] = {}
    if not missing:
        return found
    for path in _likely(images, jobs):
        record = record_in_picture(path)
        if record and (record.job, record.picture) in missing:
            missing.remove((record.job, record.picture))
            found.setdefault(record.job, {})[record.picture] = path.name
            if not missing:
                break
    return found


def _likely(images: Path, jobs: Iterable[Job]) -> Iterator[Path]:
    """The PNG files that may be theirs, the likeliest first."""
    oldest_ns = min(_claimed_ns(job) for job in jobs) - _CLOCK_ERROR_NS
    titles = tuple(folded(title_of(job.name)) for job in jobs)
    candidates = []
    with os.scandir(images) as entries:
        for entry in entries:
            name = folded(entry.name)
            if name.endswith(".png") and (made_ns := _made_ns(entry)) >= oldest_ns:
                candidates.append((not name.startswith(titles), -made_ns, entry.name))
    return (images / name for _, _, name in sorted(candidates))


def _made_ns(entry: "os.DirEntry[str]") -> int:
    """0 for an image that has gone since."""
    try:
        return entry.stat(follow_symlinks=False).st_mtime_ns
    except FileNotFoundError:
        return 0


def _claimed_ns(job: Job) -> int:
    """When the job was made, by the id; 0 where that is no id of ours."""
    time_ns = job.id.partition("-")[0]
    return int(time_ns) if time_ns.isdecimal() else 0
