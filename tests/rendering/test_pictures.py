"""Images on disk."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mpsdoctor.prompts.infotext import Parameters, format_infotext
from mpsdoctor.prompts.record import job_of
from mpsdoctor.rendering.pictures import save_png

PARAMETERS = Parameters("a red circle", 12, "DDIM", 4.0, 1, 8, 8, "shapes", "mpsdoctor")


@pytest.mark.parametrize("prompt", ["a red circle", "赤い円 — in Weiß"])
def test_the_png_carries_its_parameters_and_its_job(tmp_path: Path, prompt: str) -> None:
    """Any prompt, also outside Latin-1, is read back as it was written."""
    parameters = replace(PARAMETERS, prompt=prompt)

    save_png(Image.new("RGB", (8, 8)), parameters, tmp_path / "picture.png", job="job-1")

    with Image.open(tmp_path / "picture.png") as image:
        assert format_infotext(parameters) == image.info["parameters"]
        assert job_of(image.info["mpsdoctor"]) == "job-1"
