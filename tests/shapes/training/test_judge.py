"""The judge lets right pictures pass, and no others."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from PIL import Image

from mpsdoctor.shapes.captions import COLOURS, SHAPES, SIZES, Item, Scene, sample_scene
from mpsdoctor.shapes.training.drawing import draw, layout
from mpsdoctor.shapes.training.judge import figures, judge

PAIR = Scene((Item("green", "heart"), Item("purple", "square", "large")), "black", "left")


def drawn(scenes: Sequence[Scene]) -> list[Image.Image]:
    """Draw scenes as the training does, with jitter."""
    pixels = (draw(layout(scenes).jittered()) * 255).round().byte().permute(0, 2, 3, 1)
    return [Image.frombytes("RGB", (128, 128), bytes(p.flatten().tolist())) for p in pixels]


def test_right_pictures_are_flawless() -> None:
    """Drawings of what the captions ask for pass in every respect."""
    rng = random.Random(1)
    scenes = [sample_scene(rng, held_out=bool(i % 2)) for i in range(40)]
    verdicts = [judge(image, scene) for image, scene in zip(drawn(scenes), scenes, strict=True)]
    assert set(figures(verdicts).values()) == {1.0}


@pytest.mark.parametrize("size", SIZES)
def test_no_shape_passes_for_another(size: str) -> None:
    """The judge names one shape: each at each size passes as itself, and not as the next one."""
    scenes = [Scene((Item("red", shape, size),)) for shape in SHAPES]  # type: ignore[arg-type]
    others = [*scenes[1:], scenes[0]]
    for image, scene, other in zip(drawn(scenes), scenes, others, strict=True):
        assert (True, False) == (judge(image, scene).shapes, judge(image, other).shapes)


def test_no_colour_passes_for_another() -> None:
    """On an object and on the background: each passes as itself, and not as the next one."""
    items = [Scene((Item(c, "star"),), "white") for c in COLOURS if c != "white"]
    grounds = [Scene((Item("white", "star"),), c) for c in COLOURS if c != "white"]
    for scenes in (items, grounds):
        others = [*scenes[1:], scenes[0]]
        for image, scene, other in zip(drawn(scenes), scenes, others, strict=True):
            right, wrong = judge(image, scene), judge(image, other)
            assert (True, True) == (right.background, right.colours)
            assert not (wrong.background and wrong.colours)


@pytest.mark.parametrize(
    ("wrong", "faults"),
    [
        (replace(PAIR, placement="right"), {"placement"}),
        (replace(PAIR, placement="above"), {"placement"}),
        (replace(PAIR, background="white"), {"background"}),
        (replace(PAIR, items=(replace(PAIR.items[0], size="large"), PAIR.items[1])), {"sizes"}),
        (replace(PAIR, items=(PAIR.items[0], replace(PAIR.items[1], shape="ring"))), {"shapes"}),
        (
            replace(PAIR, items=(Item("purple", "heart"), Item("green", "square", "large"))),
            {"shapes", "sizes", "placement"},
        ),
        (
            Scene(PAIR.items[:1], "black"),
            {"colours", "shapes", "sizes", "placement"},
        ),
    ],
)
def test_wrong_pictures_fail(wrong: Scene, faults: set[str]) -> None:
    """A picture of another scene fails in just what differs."""
    verdict = judge(drawn([wrong])[0], PAIR)
    found = {name for name in vars(verdict) if getattr(verdict, name) is False}
    assert found == faults
    assert not verdict.flawless


def test_an_object_too_many_is_wrong() -> None:
    """A second object that the caption does not ask for counts as a wrong colour."""
    assert not judge(drawn([PAIR])[0], Scene(PAIR.items[:1], "black")).colours


@pytest.mark.parametrize("colour", ["white", "gray"])
def test_empty_pictures_fail(colour: str) -> None:
    """A picture of nothing has no object that could be right."""
    verdict = judge(Image.new("RGB", (128, 128), COLOURS[colour]), Scene((Item("red", "star"),)))
    assert (verdict.colours, verdict.shapes, verdict.sizes) == (False, False, False)
