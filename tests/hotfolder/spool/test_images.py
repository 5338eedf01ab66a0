"""Which job an image belongs to."""

import errno
import os
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mpsdoctor.hotfolder.spool import images as images_module
from mpsdoctor.hotfolder.spool.images import find_published, record_in_picture
from mpsdoctor.hotfolder.spool.job import Job
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
    (tmp_path / "loop.png").symlink_to("loop.png")
    for other in ("absent.png", ".", "pipe.png", "\0", "x.png/y.png", "loop.png"):
        assert record_in_picture(tmp_path / other) is None


def test_a_picture_that_the_disk_does_not_read_may_be_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the right to read it, it is not; with any other error nobody knows."""
    path = tmp_path / "x.png"
    path.write_bytes(PICTURE)

    def refuse(code: int) -> None:
        def broken(*_: object) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(Path, "open", broken)

    refuse(errno.EACCES)
    assert record_in_picture(path) is None
    refuse(errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        record_in_picture(path)


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


DAY_NS = 24 * 3600 * 10**9
NOW_NS = 1_800_000_000 * 10**9


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the images that were opened, in order."""
    names: list[str] = []

    def opening(path: Path) -> JobRecord | None:
        names.append(path.name)
        return record_in_picture(path)

    monkeypatch.setattr(images_module, "record_in_picture", opening)
    return names


def put(folder: Path, name: str, made_ns: int, record: JobRecord = RECORD) -> None:
    """An image with a record."""
    path = folder / name
    path.write_bytes(png(chunk(b"tEXt", KEY + b"\0" + format_record(record).encode())))
    os.utime(path, ns=(made_ns, made_ns))


def test_published_images_are_looked_for_where_they_are_likeliest(
    tmp_path: Path, opened: list[str]
) -> None:
    """Matching names come first, then the newest, and images that are too old never."""
    job = Job(
        id=f"{NOW_NS:020d}-0a1b2c3d",
        name="Cat.txt",
        seed=0,
        pictures=4,
        attempts={1: 1, 2: 1, 3: 0},
        published={4: "x.png"},
    )
    later = replace(job, id=f"{NOW_NS + 2 * DAY_NS:020d}-0a1b2c3d", name="dog.txt", attempts={})
    assert find_published(tmp_path / "absent", [later]) == {}
    with pytest.raises(FileNotFoundError):
        find_published(tmp_path / "absent", [job])

    put(tmp_path, "cat-1.png", NOW_NS - DAY_NS)
    put(tmp_path, "CAT-2.PNG", NOW_NS)
    put(tmp_path, "dog.png", NOW_NS - 1)
    put(tmp_path, "zebra.png", NOW_NS + 5, JobRecord(job=job.id, picture=1))
    put(tmp_path, "other.png", NOW_NS + 4, JobRecord(job=job.id, picture=2))
    put(tmp_path, "last.png", NOW_NS + 3)
    put(tmp_path, "cat-3.png", NOW_NS - DAY_NS - 1, JobRecord(job=job.id, picture=2))
    put(tmp_path, "cat.txt", NOW_NS, JobRecord(job=job.id, picture=2))
    assert find_published(tmp_path, [job, later]) == {job.id: {1: "zebra.png", 2: "other.png"}}
    assert opened == ["CAT-2.PNG", "dog.png", "cat-1.png", "zebra.png", "other.png"]

    opened.clear()
    assert find_published(tmp_path, [replace(job, attempts={3: 1})]) == {}
    assert opened == ["CAT-2.PNG", "cat-1.png", "zebra.png", "other.png", "last.png", "dog.png"]


def test_a_job_whose_id_is_not_a_time_may_have_any_image(tmp_path: Path, opened: list[str]) -> None:
    """The user may have renamed its folder; an image that is gone by then is passed over."""
    job = Job(id="renamed", name="cat.txt", seed=0, pictures=1, attempts={1: 1})
    put(tmp_path, "old.png", 1, JobRecord(job="renamed", picture=1))
    (tmp_path / "gone.png").symlink_to("nowhere")
    assert find_published(tmp_path, [job]) == {"renamed": {1: "old.png"}}
    assert opened == ["gone.png", "old.png"]
