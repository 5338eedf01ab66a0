"""Pictures."""

from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mpsdoctor.hotfolder.pictures import job_in_picture
from mpsdoctor.prompts.record import PNG_KEY, format_record
from tests.support.stand_in_worker import picture


def test_only_a_whole_picture_counts(tmp_path: Path) -> None:
    """The job is read from a whole PNG, and from no part of one."""
    path, data = tmp_path / "x.png", picture("job-1")
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert job_in_picture(path) is None
    path.write_bytes(data)
    assert job_in_picture(path) == "job-1"
    assert job_in_picture(tmp_path / "absent.png") is None
    assert job_in_picture(tmp_path) is None


def test_pillow_writes_what_is_read_here(tmp_path: Path) -> None:
    """A picture that Pillow saved with the record in a text chunk is recognised."""
    info = PngInfo()
    info.add_text("parameters", "a cat, 猫")
    info.add_text(PNG_KEY, format_record("job-2"))
    Image.new("RGB", (300, 200), "red").save(tmp_path / "x.png", pnginfo=info)
    assert job_in_picture(tmp_path / "x.png") == "job-2"
