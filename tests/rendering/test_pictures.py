"""Images on disk."""

import re
import struct
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mpsdoctor.hotfolder.spool.images import record_in_picture
from mpsdoctor.prompts.grammar import read_requests
from mpsdoctor.prompts.infotext import Parameters, format_infotext
from mpsdoctor.prompts.record import JobRecord
from mpsdoctor.rendering.pictures import save_png

PARAMETERS = Parameters("a red circle", 12, "DDIM", 4.0, 1, 64, 64, "shapes", "mpsdoctor")
DIGITAL_SOURCE_TYPE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"


def text_chunks(path: Path) -> dict[str, str]:
    """Keyword to the kind of its chunk."""
    data, place, kinds = path.read_bytes(), 8, {}
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        keyword = data[place + 8 : place + 8 + length].split(b"\0")[0]
        if kind in (b"tEXt", b"iTXt"):
            kinds[keyword.decode()] = kind.decode()
        place += 12 + length
    return kinds


@pytest.mark.parametrize(
    ("prompt", "kind"), [("a red circle, Weiß", "tEXt"), ("赤い円 — in Weiß", "iTXt")]
)
def test_the_png_says_what_made_it(tmp_path: Path, prompt: str, kind: str) -> None:
    """Parameters, job and origin are in it, in tEXt, which all readers take, if Latin-1 does."""
    parameters = replace(PARAMETERS, prompt=prompt)
    record = JobRecord(job="job-1", picture=3, remedy="VAE in float32")

    save_png(Image.new("RGB", (64, 64)), parameters, tmp_path / "picture.png", record)

    with Image.open(tmp_path / "picture.png") as image:
        assert format_infotext(parameters) == image.info["parameters"]
        xmp = ElementTree.fromstring(image.info["XML:com.adobe.xmp"])
    assert record_in_picture(tmp_path / "picture.png") == record
    assert [element.text for element in xmp.iter(DIGITAL_SOURCE_TYPE)] == [
        "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    ]
    assert text_chunks(tmp_path / "picture.png") == {
        "parameters": kind,
        "mpsdoctor": "tEXt",
        "XML:com.adobe.xmp": "iTXt",
    }


def test_a_picture_without_a_job_has_no_record(tmp_path: Path) -> None:
    """What `render` saves is nobody's job."""
    save_png(Image.new("RGB", (64, 64)), PARAMETERS, tmp_path / "picture.png")
    assert record_in_picture(tmp_path / "picture.png") is None


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_text_survives_in_the_png(tmp_path: Path, prompt: str, negative: str) -> None:
    """Whatever the prompts are, Pillow reads back what was written, and so does mpsdoctor."""
    parameters = replace(PARAMETERS, prompt=prompt, negative_prompt=negative)
    save_png(Image.new("RGB", (64, 64)), parameters, tmp_path / "picture.png", JobRecord(job="j"))

    with Image.open(tmp_path / "picture.png") as image:
        infotext = image.info["parameters"]

    assert infotext == format_infotext(parameters)
    assert record_in_picture(tmp_path / "picture.png") == JobRecord(job="j")
    if prompt.strip() and not re.search(r"[\x00-\x08\x0e-\x1f\x7f]", prompt + negative):
        [request] = read_requests(infotext)
        assert (request.prompt, request.negative_prompt) == (prompt, negative)
