"""Scenes, their split and their wording."""

import random
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.shapes.captions import (
    COLOURS,
    SHAPES,
    Item,
    Scene,
    caption,
    is_held_out,
    sample_scene,
    unknown_words,
    vocabulary,
)

seeds = st.integers(0, 2**32)


def test_there_is_enough_to_ask_for() -> None:
    """The model knows at least twelve colours and eight shapes."""
    assert len(COLOURS) >= 12
    assert len(SHAPES) >= 8


@given(seeds)
def test_captions_keep_to_the_vocabulary(seed: int) -> None:
    """Every word of a caption is in the vocabulary from which the tokenizer is made."""
    rng = random.Random(seed)
    text = caption(sample_scene(rng), rng)
    assert set(re.findall(r"[a-z]+", text)) <= set(vocabulary())
    assert not re.search(r"[^a-z ,.-]|  |\ba [aeiou]|\ban [^aeiou]", text)


@given(seeds)
def test_captions_have_no_unlearnt_word(seed: int) -> None:
    """However they are worded and written, only what is added to them is named."""
    rng = random.Random(seed)
    text = caption(sample_scene(rng), rng)
    assert unknown_words(text.upper()) == []
    assert unknown_words(f"Two unicorns, {text} and the unicorn's Äpfel_2, two") == [
        "two", "unicorns", "unicorn's", "äpfel", "2",
    ]  # fmt: skip


@given(seeds, st.booleans())
def test_the_split_looks_at_colours_and_shapes_only(seed: int, held_out: bool) -> None:
    """Sizes, placement and the order of the objects do not move a scene across the split."""
    scene = sample_scene(random.Random(seed), held_out=held_out)
    items = tuple(replace(item, size="large") for item in reversed(scene.items))
    moved = Scene(items, scene.background, "above" if len(items) == 2 else None)
    assert is_held_out(scene) is is_held_out(moved) is held_out


@pytest.mark.parametrize(
    ("colours", "placement"),
    [
        (["white"], None),
        (["red", "red"], "left"),
        (["red", "blue"], None),
        (["red"], "left"),
        ([], None),
        (["red", "blue", "green"], "left"),
    ],
)
def test_impossible_scenes_are_refused(colours: list[str], placement: None) -> None:
    """Scenes without contrast, or with a placement that does not fit the objects, are errors."""
    with pytest.raises(ValueError, match=r"colours$|placement$"):
        Scene(tuple(Item(colour, "star") for colour in colours), "white", placement)
