"""Scenes that the embedded model can draw, and the captions that ask for them."""

import hashlib
import random
import re
from dataclasses import dataclass
from typing import Final, Literal

Size = Literal["small", "medium", "large"]
Placement = Literal["left", "right", "above", "below"]

COLOURS: Final[dict[str, tuple[int, int, int]]] = {
    "red": (225, 20, 35),
    "orange": (255, 135, 0),
    "yellow": (255, 225, 20),
    "green": (25, 150, 45),
    "cyan": (70, 220, 235),
    "blue": (25, 60, 220),
    "purple": (130, 35, 170),
    "pink": (255, 150, 200),
    "brown": (120, 65, 20),
    "black": (0, 0, 0),
    "gray": (130, 130, 130),
    "white": (255, 255, 255),
}
"""sRGB, 8 bits per channel; any two are at least 90 apart (Euclidean)."""

SHAPES: Final = (
    "circle",
    "square",
    "triangle",
    "star",
    "heart",
    "diamond",
    "cross",
    "ring",
    "crescent",
)
SIZES: Final[tuple[Size, ...]] = ("small", "medium", "large")
PLACEMENTS: Final[tuple[Placement, ...]] = ("left", "right", "above", "below")

_SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "gray": ("gray", "grey"),
    "purple": ("purple", "purple", "violet"),
    "cyan": ("cyan", "cyan", "turquoise"),
    "circle": ("circle", "circle", "disc", "disk", "dot"),
    "diamond": ("diamond", "diamond", "rhombus"),
    "cross": ("cross", "cross", "plus", "plus sign"),
    "ring": ("ring", "ring", "donut"),
    "crescent": ("crescent", "moon", "crescent moon"),
    "small": ("small", "small", "little", "tiny"),
    "medium": ("", "", "", "medium", "medium-sized"),
    "large": ("large", "large", "big", "huge"),
}
_RELATIONS: Final[dict[Placement, tuple[str, ...]]] = {
    "left": ("{a} left of {b}", "{a} to the left of {b}", "{a} on the left of {b}"),
    "right": ("{a} right of {b}", "{a} to the right of {b}", "{a} on the right of {b}"),
    "above": ("{a} above {b}", "{a} over {b}", "{a} on top of {b}"),
    "below": ("{a} below {b}", "{a} under {b}", "{a} beneath {b}", "{a} underneath {b}"),
}
_SIDES: Final[dict[Placement, tuple[str, ...]]] = {
    "left": (
        "{a} on the left and {b} on the right",
        "{a} and {b}",
        "{a} next to {b}",
        "{a} beside {b}",
    ),
    "right": ("{a} on the right and {b} on the left",),
    "above": ("{a} at the top and {b} at the bottom", "{a} on the top and {b} on the bottom"),
    "below": ("{a} at the bottom and {b} at the top", "{a} on the bottom and {b} on the top"),
}
_BACKGROUNDS: Final = (
    "{items} on {ground} background",
    "{items} on {ground} background",
    "{items} with {ground} background",
    "{items} against {ground} background",
    "{items} in front of {ground} background",
    "{items} on {colour}",
    "{items}, {colour} background",
    "on {ground} background, {items}",
)
_OPENINGS: Final = ("", "", "", "a picture of", "an image of", "a drawing of", "picture of", "draw")
_ARTICLES: Final = ("a", "a", "a", "a", "a", "the", "one", "")


@dataclass(frozen=True)
class Item:
    """One object; `colour` is a key of COLOURS, `shape` one of SHAPES."""

    colour: str
    shape: str
    size: Size = "medium"


@dataclass(frozen=True)
class Scene:
    """One or two objects; `placement` is where the first one is, seen from the second.

    Raises ValueError if colours repeat, or if the placement does not fit the objects.
    """

    items: tuple[Item, ...]
    background: str = "white"
    placement: Placement | None = None

    def __post_init__(self) -> None:
        if len(self.items) not in (1, 2) or (len(self.items) == 2) != (self.placement is not None):
            raise ValueError("a scene is one object, or two objects and their placement")
        if len({self.background, *(item.colour for item in self.items)}) != 1 + len(self.items):
            raise ValueError("objects and background need different colours")


def sample_scene(rng: random.Random, *, held_out: bool = False) -> Scene:
    """Draw a scene from the training combinations, or from those held out."""
    while True:
        count = rng.choice((1, 2, 2))
        background, *colours = rng.sample(tuple(COLOURS), 1 + count)
        if rng.random() < 0.15 and "white" not in colours:
            background = "white"
        items = tuple(Item(c, rng.choice(SHAPES), rng.choice(SIZES)) for c in colours)
        scene = Scene(items, background, rng.choice(PLACEMENTS) if count == 2 else None)
        if is_held_out(scene) == held_out:
            return scene


def is_held_out(scene: Scene) -> bool:
    """Tell whether a scene's combination, one in ten of all, is kept out of the training.

    A combination is the background's colour with every object's colour and shape, whatever
    the sizes, the placement and the wording.
    """
    objects = sorted(f"{item.colour} {item.shape}" for item in scene.items)
    digest = hashlib.sha256(", ".join([scene.background, *objects]).encode()).digest()
    return digest[0] % 10 == 0


def caption(scene: Scene, rng: random.Random) -> str:
    """Word a scene in one of the ways that people might.

    A medium size, a white background and a first object on the left may go unsaid.
    """
    items = _items(scene, rng)
    if scene.background == "white" and rng.random() < 0.3:
        text = items
    else:
        colour = _word(scene.background, rng)
        text = rng.choice(_BACKGROUNDS).format(
            items=items, ground=_noun_phrase(colour, rng, ("a", "a", "a", "the", "")), colour=colour
        )
    opening = "" if text.startswith("on ") else rng.choice(_OPENINGS)
    return f"{opening} {text}".strip() + rng.choice(("", "", "", "", "", "."))


def vocabulary() -> list[str]:
    """Every word that `caption` can write, sorted, in lower case."""
    tables = (
        *COLOURS,
        *SHAPES,
        *SIZES,
        *(word for words in _SYNONYMS.values() for word in words),
        *(form for forms in _RELATIONS.values() for form in forms),
        *(form for forms in _SIDES.values() for form in forms),
        *_BACKGROUNDS,
        *_OPENINGS,
        *_ARTICLES,
        "an",
    )
    return sorted(set(re.findall(r"[a-z]+", re.sub(r"{\w+}", "", " ".join(tables)))))


def unknown_words(text: str) -> list[str]:
    """The words of a prompt that are in no caption, each once, in lower case as CLIP reads them.

    The tokenizer splits them into pieces that the model was not trained on: they can change the
    picture, but mean nothing.
    """
    known = set(vocabulary())
    words = dict.fromkeys(re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.lower()))
    return [word for word in words if word not in known]


def _items(scene: Scene, rng: random.Random) -> str:
    phrases = [_item(item, rng) for item in scene.items]
    if scene.placement is None:
        return phrases[0]
    table = _SIDES if rng.random() < 0.3 else _RELATIONS
    return rng.choice(table[scene.placement]).format(a=phrases[0], b=phrases[1])


def _item(item: Item, rng: random.Random) -> str:
    words = [_word(item.size, rng), _word(item.colour, rng), _word(item.shape, rng)]
    return _noun_phrase(" ".join(filter(None, words)), rng)


def _noun_phrase(words: str, rng: random.Random, articles: tuple[str, ...] = _ARTICLES) -> str:
    article = rng.choice(articles)
    if article == "a" and words[0] in "aeiou":
        article = "an"
    return f"{article} {words}".strip()


def _word(name: str, rng: random.Random) -> str:
    return rng.choice(_SYNONYMS.get(name, (name,)))
