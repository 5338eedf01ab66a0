"""Images on disk."""

import re
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mpsdoctor.hotfolder.spool.images import record_in_picture
from mpsdoctor.prompts.grammar import read_requests
from mpsdoctor.prompts.infotext import Parameters, format_infotext
from mpsdoctor.prompts.record import JobRecord, format_record
from mpsdoctor.rendering.broken import BrokenPictureError
from mpsdoctor.rendering.pictures import save_png, to_image

PARAMETERS = Parameters("a red circle", 12, "DDIM", 4.0, 1, 64, 64, "shapes", "mpsdoctor")
DIGITAL_SOURCE_TYPE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"


XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
   <Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""
"""As IPTC's Photo Metadata Standard and the XMP specification give it."""


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
        assert {name: image.info[name] for name in image.info if name != "xmp"} == {
            "parameters": format_infotext(parameters),
            "mpsdoctor": format_record(record),
            "XML:com.adobe.xmp": XMP,
        }
        assert ("PNG", (64, 64)) == (image.format, image.size)
    xmp = ElementTree.fromstring(XMP)
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
    assert ["XML:com.adobe.xmp", "parameters"] == sorted(text_chunks(tmp_path / "picture.png"))


def pixels(*levels: float) -> Any:
    """A picture of one row, gray."""
    return np.repeat(np.array([[levels]], dtype=np.float32).transpose(0, 2, 1), 3, axis=2)


def test_levels_are_rounded_and_clipped() -> None:
    """From 0 to 1, to 0 to 255; an image is left as it is."""
    image = to_image(pixels(-1.0, 0.0, 0.25, 0.999, 1.0, 2.0))

    assert ("RGB", (6, 1)) == (image.mode, image.size)
    grays = np.asarray(image)
    assert [0, 0, 64, 255, 255, 255] == [int(level) for level in grays[0, :, 0]]
    assert (grays == grays[..., :1]).all()
    assert to_image(image) is image


@pytest.mark.parametrize("level", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_not_finite_breaks_the_picture(level: float) -> None:
    """Clipped, infinity would be white."""
    with pytest.raises(BrokenPictureError) as refused:
        to_image(pixels(0.1, level))
    assert (refused.value.title, refused.value.detail, refused.value.hint) == (
        "The model computed NaN instead of a picture",
        "Numbers overflowed, and the image would be black.",
        'Set dtype = "float32" in the profile. `mpsdoctor check` looks for known faults.',
    )


def test_a_single_colour_is_a_broken_picture() -> None:
    """To the level of one channel of one pixel, of arrays and of images."""
    flat = np.full((2, 2, 3), 128, dtype=np.uint8)
    almost = flat.copy()
    almost[1, 1, 2] = 129

    assert to_image(Image.fromarray(almost)).size == to_image(almost / np.float32(255)).size
    for broken in (Image.fromarray(flat), flat / np.float32(255)):
        with pytest.raises(BrokenPictureError) as refused:
            to_image(broken)
        assert (refused.value.title, refused.value.detail) == (
            "The picture is one flat colour",
            "Every pixel is (128, 128, 128).",
        )


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
