"""From a pipeline's arrays to checked images, and to PNG files."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mpsdoctor.prompts import infotext
from mpsdoctor.prompts.infotext import Parameters, format_infotext
from mpsdoctor.prompts.record import PNG_KEY, JobRecord, format_record
from mpsdoctor.rendering.broken import not_finite, require_colours

# XMP that says that a trained model made the picture. The property is IPTC's Digital Source Type
# (Photo Metadata Standard 2023.1), its value from the NewsCodes of that name; PNG keeps XMP in an
# iTXt chunk (XMP specification, part 3, 1.1.5).
_XMP_KEY = "XML:com.adobe.xmp"
_MADE_BY_A_MODEL = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
   <Iptc4xmpExt:DigitalSourceType>{_MADE_BY_A_MODEL}</Iptc4xmpExt:DigitalSourceType>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def to_image(pixels: NDArray[np.floating[Any]] | Image.Image) -> Image.Image:
    """`pixels` has shape (height, width, 3) and values from 0 to 1, or is an image already.

    Raises BrokenPictureError for NaN, infinity, or a single colour.
    """
    if isinstance(pixels, Image.Image):
        require_colours(np.asarray(pixels.convert("RGB")))
        return pixels
    if not np.isfinite(pixels).all():
        raise not_finite()
    levels = (pixels.clip(0, 1) * 255).round().astype(np.uint8)
    require_colours(levels)
    return Image.fromarray(levels)


def save_png(
    image: Image.Image, parameters: Parameters, path: Path, record: JobRecord | None = None
) -> None:
    """Writes a PNG that says what made it: `parameters`, XMP, and `mpsdoctor` for a job's picture.

    Text goes into a tEXt chunk, or into iTXt if it is not Latin-1. XMP goes into iTXt.
    """
    text = PngInfo()
    text.add_text(infotext.PNG_KEY, format_infotext(parameters))
    if record is not None:
        text.add_text(PNG_KEY, format_record(record))
    text.add_itxt(_XMP_KEY, _XMP)
    image.save(path, format="PNG", pnginfo=text)
