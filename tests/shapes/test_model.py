"""The model that ships with the package."""

from pathlib import Path

import pytest
import torch
from diffusers import DiffusionPipeline, StableDiffusionPipeline
from safetensors.torch import load_file

import mpsdoctor.shapes
from mpsdoctor.shapes.captions import Item, Scene
from mpsdoctor.shapes.training.judge import GUIDANCE, STEPS, judge

pytestmark = pytest.mark.heavy

MODEL = Path(mpsdoctor.shapes.__file__).parent / "model"
CIRCLE = Scene((Item("red", "circle"),))
STAR = Scene((Item("blue", "star", "small"),), "yellow")
HEART = Scene((Item("green", "heart"), Item("purple", "square")), "black", "left")


@pytest.fixture(scope="module")
def pipeline() -> StableDiffusionPipeline:
    pipeline = DiffusionPipeline.from_pretrained(MODEL)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def test_the_model_is_small() -> None:
    """The shipped folder is at most 16 MB, its weights in float16."""
    assert sum(path.stat().st_size for path in MODEL.rglob("*")) <= 16_000_000
    weights = [
        tensor for path in MODEL.rglob("*.safetensors") for tensor in load_file(path).values()
    ]
    assert {tensor.dtype for tensor in weights} == {torch.float16}


@pytest.mark.parametrize(
    ("text", "scene"),
    [
        ("a red circle on a white background", CIRCLE),
        ("Red circle.", CIRCLE),
        ("a small blue star on a yellow background", STAR),
        ("LITTLE BLUE STAR ON YELLOW", STAR),
        ("a green heart left of a purple square on a black background", HEART),
        ("green heart and purple square, black background", HEART),
    ],
)
def test_the_model_draws_what_is_asked_for(
    pipeline: StableDiffusionPipeline, text: str, scene: Scene
) -> None:
    """Captions, worded and spelt in several ways, give pictures that the judge finds right."""
    generator = torch.Generator().manual_seed(0)
    image = pipeline(
        text, num_inference_steps=STEPS, guidance_scale=GUIDANCE, generator=generator
    ).images[0]
    assert judge(image, scene).flawless
