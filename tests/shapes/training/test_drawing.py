"""The drawings are right in themselves."""

import math
import random

import pytest
import torch

from mpsdoctor.shapes.captions import COLOURS, SHAPES, Item, Scene, sample_scene
from mpsdoctor.shapes.training.drawing import coverage, draw, layout


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_fill_their_box(shape: str) -> None:
    """A shape's longer side is twice its radius, and its box lies on its centre."""
    index = torch.tensor([SHAPES.index(shape)])
    cover = coverage(index, torch.tensor([[0.25, -0.25]]), torch.tensor([0.5]), 256)[0]
    ys, xs = (cover > 0.5).nonzero().unbind(1)
    sides = [int(v.max() - v.min()) + 1 for v in (xs, ys)]
    middles = [float(v.max() + v.min() + 1) / 2 for v in (xs, ys)]
    assert max(sides) == pytest.approx(128, abs=2)
    assert middles == pytest.approx([160, 96], abs=2)


@pytest.mark.parametrize(
    ("shape", "area"), [("circle", math.pi), ("square", 4), ("diamond", 1.4), ("triangle", 3**0.5)]
)
def test_edges_are_smooth(shape: str, area: float) -> None:
    """The covered shares of the pixels add up to the shape's area, at any resolution."""
    index, centre = torch.tensor([SHAPES.index(shape)]), torch.tensor([[0.01, 0.02]])
    for resolution in (32, 128):
        cover = coverage(index, centre, torch.tensor([0.6]), resolution)
        measured = float(cover.sum()) * (2 / resolution) ** 2
        assert measured == pytest.approx(area * 0.36, rel=0.02)


def test_a_batch_is_its_pictures() -> None:
    """Scenes drawn together look as they do drawn alone."""
    rng = random.Random(0)
    scenes = [sample_scene(rng) for _ in range(12)]
    alone = torch.cat([draw(layout([scene])) for scene in scenes])
    torch.testing.assert_close(draw(layout(scenes)), alone)


def test_objects_lie_where_the_scene_says() -> None:
    """The pixels at the places of two objects have the objects' colours."""
    scene = Scene((Item("green", "heart"), Item("purple", "square")), "black", "above")
    picture = draw(layout([scene]))[0] * 255
    at = [(32, 64), (96, 64), (64, 0)]
    seen = [tuple(round(float(v)) for v in picture[:, y, x]) for y, x in at]
    assert seen == [COLOURS[name] for name in ("green", "purple", "black")]
