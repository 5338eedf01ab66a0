"""Which job an image belongs to."""

import os
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mpsdoctor.hotfolder.spool.images import record_in_picture
from mpsdoctor.prompts.record import PNG_KEY, JobRecord, format_record

RECORD = JobRecord(job="job-1", picture=2, profile="abc", remedy="VAE in float32")
TEXT = format_record(RECORD).encode()
KEY = PNG_KEY.encode()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\x80"))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + chunk(b"IEND", b"")


PICTURE = png(chunk(b"tEXt", KEY + b"\0" + TEXT))
BOMB = zlib.compress(bytes(64 << 20), 9)


def test_only_a_whole_picture_counts(tmp_path: Path) -> None:
    """The record is read from a complete PNG, but not from a part of one."""
    path = tmp_path / "x.png"
    for length in range(len(PICTURE)):
        path.write_bytes(PICTURE[:length])
        assert record_in_picture(path) is None
    path.write_bytes(PICTURE)
    assert record_in_picture(path) == RECORD
    os.mkfifo(tmp_path / "pipe.png")
    for other in ("absent.png", ".", "pipe.png", "\0"):
        assert record_in_picture(tmp_path / other) is None


@pytest.mark.parametrize(
    ("picture", "record"),
    [
        (png(chunk(b"iTXt", KEY + b"\0\0\0en\0key\0" + TEXT)), RECORD),
        (png(chunk(b"iTXt", KEY + b"\0\1\0\0\0" + zlib.compress(TEXT))), RECORD),
        (png(chunk(b"iTXt", KEY + b"\0\1\0\0\0" + BOMB)), None),
        (png(chunk(b"iTXt", KEY + b"\0\1\0\0\0" + TEXT)), None),
        (png(chunk(b"iTXt", KEY + b"\0\0\0\0\0\xff")), None),
        (png(chunk(b"iTXt", KEY)), None),
        (png(chunk(b"tEXt", KEY + b"\0" + TEXT)[:-1] + b"?"), None),
        (png(chunk(b"tEXt", KEY + b"\0" + TEXT + b" " * (1 << 17))), None),
        (png(chunk(b"tEXt", b"parameters\0" + TEXT)), None),
        (png(*[chunk(b"tEXt", b"")] * (1 << 16)), None),
    ],
)
def test_text_is_read_as_png_defines_it(tmp_path: Path, picture: bytes, record: JobRecord) -> None:
    """It is read from tEXt and iTXt, compressed or not, unless damaged, too long or another key."""
    (tmp_path / "x.png").write_bytes(picture)
    assert record_in_picture(tmp_path / "x.png") == record


@pytest.mark.parametrize("remedy", ["", "Weiß", "猫"])
def test_pillow_writes_what_is_read_here(tmp_path: Path, remedy: str) -> None:
    """A record that Pillow saved is found, in Latin-1 or not, compressed or not."""
    record = JobRecord(job="job-2", remedy=remedy)
    for compressed in (False, True):
        info = PngInfo()
        info.add_text("parameters", "a cat, 猫")
        info.add_itxt(PNG_KEY, format_record(record), zip=compressed)
        Image.new("RGB", (300, 200), "red").save(tmp_path / "x.png", pnginfo=info)
        assert record_in_picture(tmp_path / "x.png") == record


@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(PICTURE) - 1), st.binary(max_size=6), st.integers(0, 6)),
        max_size=4,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_picture_is_nobodys_or_somebodys(
    tmp_path: Path, changes: list[tuple[int, bytes, int]]
) -> None:
    """Whatever bytes are changed, added or lost, the answer is a record or none."""
    data = PICTURE
    for place, new, lost in changes:
        data = data[:place] + new + data[place + lost :]
    (tmp_path / "x.png").write_bytes(data)
    record = record_in_picture(tmp_path / "x.png")
    assert record in (None, RECORD)
