"""Which job a PNG belongs to, and whether the file is complete."""

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
# There is no file, or mpsdoctor did not make it.
_NOT_OURS = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES})
_LONGEST_TEXT = 1 << 16
_MOST_CHUNKS = 1 << 16


def record_in_picture(path: Path) -> JobRecord | None:
    """The job record in a text chunk of a complete PNG; None for any other file.

    A PNG is complete if its chunks lead to IEND; pixels are not decoded. A text chunk counts if
    its checksum is right and its text, decompressed, is at most 64 KiB long. PNG specification,
    5.3 (chunk layout), 11.3.3.2 (tEXt) and 11.3.3.4 (iTXt).

    Raises OSError if the disk refuses: then it is unknown whether the picture is there.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for its writer
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

    Raises EOFError if the file is cut short or has too many chunks.
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
    """At most `_LONGEST_TEXT` bytes: a text that is cut short is not a record."""
    return zlib.decompressobj().decompress(data, _LONGEST_TEXT)


def _read(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise EOFError
    return data


_CLOCK_ERROR_NS: Final = 24 * 3600 * 10**9


def find_published(images: Path, jobs: Sequence[Job]) -> dict[str, dict[int, str]]:
    """The names of published images that `jobs` have begun, by job id and picture number.

    Images older than the oldest job are not opened; a clock may be wrong by a day. The others are
    opened until all missing images are found: matching names first, then the newest first. Raises
    OSError if the folder cannot be listed.
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
    """The PNG files that may belong to `jobs`, the likeliest first."""
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
    """The modification time; 0 for an image that has gone since."""
    try:
        return entry.stat(follow_symlinks=False).st_mtime_ns
    except FileNotFoundError:
        return 0


def _claimed_ns(job: Job) -> int:
    """When the job was made, from its id; 0 if mpsdoctor did not make the id."""
    time_ns = job.id.partition("-")[0]
    return int(time_ns) if time_ns.isdecimal() else 0
