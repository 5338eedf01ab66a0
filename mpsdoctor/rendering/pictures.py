"""From a pipeline's arrays to images that are worth showing."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts import infotext, record
from mpsdoctor.prompts.infotext import Parameters, format_infotext
from mpsdoctor.prompts.record import format_record


def to_image(pixels: NDArray[np.floating[Any]]) -> Image.Image:
    """`pixels` has shape (height, width, 3) and values from 0 to 1.

    Raises MpsDoctorError for NaN, infinity, or a single colour: Diffusers itself would return a
    black image, with no more than a numpy warning (`VaeImageProcessor.numpy_to_pil`).
    """
    if not np.isfinite(pixels).all():
        raise MpsDoctorError(
            "The model computed NaN instead of a picture",
            detail="Numbers overflowed on the way; as an image this would be black.",
            hint='Set dtype = "float32" in the profile. `mpsdoctor check` looks for known faults.',
        )
    levels = (pixels.clip(0, 1) * 255).round().astype(np.uint8)
    if (levels == levels[0, 0]).all():
        raise MpsDoctorError(
            "The picture is one flat colour",
            detail=f"Every pixel is {tuple(int(level) for level in levels[0, 0])}.",
            hint="A fault of the device or a model's safety checker does this. "
            "Try another seed or wording, then `mpsdoctor check`.",
        )
    return Image.fromarray(levels)


def save_png(
    image: Image.Image, parameters: Parameters, path: Path, job: str | None = None
) -> None:
    """Writes a PNG with the text chunk `parameters`, and `mpsdoctor` where a job made it."""
    text = PngInfo()
    text.add_text(infotext.PNG_KEY, format_infotext(parameters))
    if job is not None:
        text.add_text(record.PNG_KEY, format_record(job))
    image.save(path, format="PNG", pnginfo=text)
