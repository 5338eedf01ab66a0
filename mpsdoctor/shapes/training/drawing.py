"""Anti-aliased pictures of many scenes at once, drawn from signed distances.

A point's signed distance to an outline is negative inside it. The basic distance functions
are those of https://iquilezles.org/articles/distfunctions2d/.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor

from mpsdoctor.shapes.captions import COLOURS, SHAPES, Placement, Scene, Size

RESOLUTION: Final = 128

_RADII: Final[dict[Size, float]] = {"small": 0.19, "medium": 0.28, "large": 0.4}
_ALONE: Final = 1.5
_OFFSET: Final = 0.5
_SIDES: Final[dict[Placement, tuple[float, float]]] = {
    "left": (-_OFFSET, 0.0),
    "right": (_OFFSET, 0.0),
    "above": (0.0, -_OFFSET),
    "below": (0.0, _OFFSET),
}
_OUT_OF_SIGHT: Final = (9.0, 9.0)

Point = tuple[float, float]
Distance = Callable[[Tensor, Tensor], Tensor]


class Layout(NamedTuple):
    """What to draw where: N pictures of two objects, the second perhaps out of sight.

    `background` (N, 3) and `colours` (N, 2, 3) are RGB from 0 to 1. `shapes` (N, 2) are indices
    into SHAPES. `centres` (N, 2, 2) are x to the right and y downwards from -1 to 1. `radii`
    (N, 2) are half of an object's longer side on that scale.
    """

    background: Tensor
    colours: Tensor
    shapes: Tensor
    centres: Tensor
    radii: Tensor

    def rows(self, index: Tensor) -> "Layout":
        """Select pictures by their indices, of shape (M,)."""
        return Layout(*(column[index] for column in self))

    def split(self, count: int) -> Iterator["Layout"]:
        """Go through the pictures, at most `count` at a time."""
        for start in range(0, len(self.radii), count):
            yield Layout(*(column[start : start + count] for column in self))

    def jittered(self) -> "Layout":
        """Move every object a little, mostly across the line that joins the two, and resize it."""
        sway = torch.empty_like(self.centres).uniform_(-0.1, 0.1)
        along = (self.centres.abs() - _OFFSET).abs() < 1e-6
        scale = torch.empty_like(self.radii).uniform_(0.95, 1.05)
        centres = self.centres + sway * torch.where(along, 0.4, 1.0)
        return self._replace(centres=centres, radii=self.radii * scale)


def radius(size: Size, scene: Scene) -> float:
    """Say how large an object is; alone, it has more room."""
    return _RADII[size] * (_ALONE if len(scene.items) == 1 else 1.0)


def layout(scenes: Sequence[Scene], device: torch.device | str = "cpu") -> Layout:
    """Place every scene's objects: one in the middle, two on opposite sides of it."""
    background, colours, shapes, centres, radii = [], [], [], [], []
    for scene in scenes:
        items = (scene.items * 2)[:2]
        background.append(COLOURS[scene.background])
        colours.append([COLOURS[item.colour] for item in items])
        shapes.append([SHAPES.index(item.shape) for item in items])
        radii.append([radius(item.size, scene) for item in items])
        x, y = _SIDES[scene.placement] if scene.placement else (0.0, 0.0)
        centres.append([(x, y), (-x, -y) if scene.placement else _OUT_OF_SIGHT])
    return Layout(
        torch.tensor(background, device=device) / 255,
        torch.tensor(colours, device=device) / 255,
        torch.tensor(shapes, device=device),
        torch.tensor(centres, device=device),
        torch.tensor(radii, device=device),
    )


def draw(pictures: Layout, resolution: int = RESOLUTION) -> Tensor:
    """Draw N pictures as RGB from 0 to 1, of shape (N, 3, resolution, resolution)."""
    canvas = pictures.background[:, :, None, None]
    for i in range(2):
        cover = coverage(
            pictures.shapes[:, i], pictures.centres[:, i], pictures.radii[:, i], resolution
        )
        canvas = canvas.lerp(pictures.colours[:, i, :, None, None], cover[:, None])
    return canvas


def coverage(
    shapes: Tensor, centres: Tensor, radii: Tensor, resolution: int = RESOLUTION
) -> Tensor:
    """Say how much of each pixel an object covers, from 0 to 1: (N, resolution, resolution).

    `shapes` (N,) are indices into SHAPES; `centres` (N, 2) and `radii` (N,) are as in Layout.
    """
    steps = (torch.arange(resolution, device=radii.device) + 0.5) * (2 / resolution) - 1
    radii = radii[:, None, None]
    shape = (len(shapes), resolution, resolution)
    x = ((steps[None, None, :] - centres[:, 0, None, None]) / radii).expand(shape)
    y = ((centres[:, 1, None, None] - steps[None, :, None]) / radii).expand(shape)
    distance = torch.empty_like(x)
    for index, name in enumerate(SHAPES):
        rows = shapes == index
        distance[rows] = _DISTANCES[name](x[rows], y[rows])
    return (0.5 - distance * radii * (resolution / 2)).clamp(0, 1)


def _disc(x: Tensor, y: Tensor, centre: Point = (0.0, 0.0), radius: float = 1.0) -> Tensor:
    return torch.hypot(x - centre[0], y - centre[1]) - radius


def _ring(x: Tensor, y: Tensor) -> Tensor:
    return (torch.hypot(x, y) - 0.775).abs() - 0.225


def _crescent(x: Tensor, y: Tensor) -> Tensor:
    """Cut a disc out of a disc; moved so that the rest is in the middle."""
    x = x - 0.18
    return torch.maximum(_disc(x, y), -_disc(x, y, (0.45, 0.0), 0.8))


def _heart(x: Tensor, y: Tensor) -> Tensor:
    """Join two discs with a square that stands on its corner, fitted to a width of 2."""
    half = 2 / (1 + math.sqrt(2))
    y = y + 0.1 * half
    lobe = half / math.sqrt(2)
    body = polygon([(0, half), (half, 0), (0, -half), (-half, 0)])(x, y)
    return torch.minimum(body, _disc(x.abs(), y, (half / 2, half / 2), lobe))


def polygon(vertices: Sequence[Point]) -> Distance:
    """Make the distance function of a polygon: the nearest edge, signed by edge crossings."""
    edges = list(zip(vertices, [*vertices[1:], vertices[0]], strict=True))

    def distance(x: Tensor, y: Tensor) -> Tensor:
        nearest, sign = torch.full_like(x, torch.inf), torch.ones_like(x)
        for (ax, ay), (bx, by) in edges:
            ex, ey = bx - ax, by - ay
            along = (((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey)).clamp(0, 1)
            to_edge = torch.hypot(x - ax - along * ex, y - ay - along * ey)
            nearest = torch.minimum(nearest, to_edge)
            if ey != 0:
                spans = (y < ay) != (y < by)
                sign = torch.where(spans & (x < ax + (y - ay) * (ex / ey)), -sign, sign)
        return nearest * sign

    return distance


def _fitted(vertices: Sequence[Point]) -> list[Point]:
    """Centre vertices on their bounding box and scale its longer side to 2."""
    (left, right), (bottom, top) = ((min(v), max(v)) for v in zip(*vertices, strict=True))
    scale = 2 / max(right - left, top - bottom)
    return [
        ((x - (left + right) / 2) * scale, (y - (bottom + top) / 2) * scale) for x, y in vertices
    ]


def _on_circle(turns: float, radius: float = 1.0) -> Point:
    return radius * math.sin(math.tau * turns), radius * math.cos(math.tau * turns)


_ARM: Final = 0.32
_DISTANCES: Final[dict[str, Distance]] = {
    "circle": _disc,
    "square": polygon([(-1, -1), (-1, 1), (1, 1), (1, -1)]),
    "triangle": polygon(_fitted([_on_circle(i / 3) for i in range(3)])),
    "star": polygon(_fitted([_on_circle(i / 10, 0.45 if i % 2 else 1.0) for i in range(10)])),
    "heart": _heart,
    "diamond": polygon([(0, 1), (0.7, 0), (0, -1), (-0.7, 0)]),
    "cross": polygon(
        [
            *[(_ARM, 1), (_ARM, _ARM), (1, _ARM), (1, -_ARM), (_ARM, -_ARM), (_ARM, -1)],
            *[(-_ARM, -1), (-_ARM, -_ARM), (-1, -_ARM), (-1, _ARM), (-_ARM, _ARM), (-_ARM, 1)],
        ]
    ),
    "ring": _ring,
    "crescent": _crescent,
}
