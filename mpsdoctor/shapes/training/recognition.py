"""Find and name the objects in a picture by its pixels."""

from dataclasses import dataclass
from typing import Final

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from mpsdoctor.shapes.captions import COLOURS, SHAPES
from mpsdoctor.shapes.training.drawing import coverage

_MIN_PIXELS: Final = 10
"""A colour counts as an object if this many of its pixels have only that colour around them."""

_MIN_OVERLAP: Final = 0.7
"""Intersection over union with the best drawing, below which an object has no shape."""

_PALETTE: Final = torch.tensor(list(COLOURS.values()), dtype=torch.float32)


@dataclass(frozen=True)
class Blob:
    """An object that was found: centroid and box from -1 to 1, `radius` half the longer side."""

    shape: str | None
    radius: float
    centroid: tuple[float, float]


def find_objects(image: Image.Image) -> tuple[str, dict[str, Blob]]:
    """Name the colour of the picture's border, and find the other colours' objects."""
    pixels = _pixels(image)
    names = list(COLOURS)
    nearest = _nearest(pixels, _PALETTE)
    border = torch.cat(
        [nearest[:2].flatten(), nearest[-2:].flatten(), nearest[:, [0, 1, -2, -1]].flatten()]
    )
    background = int(border.bincount().argmax())
    cores = {i: _eroded(nearest == i) for i in range(len(names)) if i != background}
    cores = {i: core for i, core in cores.items() if core.sum() >= _MIN_PIXELS}
    # Where two colours blend, a third may be the nearest: only those that are there compete.
    present = [background, *cores]
    owner = _nearest(pixels, _PALETTE[present])
    return names[background], {
        names[i]: _blob(_connected(core, owner == present.index(i))) for i, core in cores.items()
    }


def _pixels(image: Image.Image) -> Tensor:
    """Read a picture as sRGB from 0 to 255, of shape (H, W, 3)."""
    data = bytearray(image.convert("RGB").tobytes())
    return torch.frombuffer(data, dtype=torch.uint8).view(image.height, image.width, 3).float()


def _nearest(pixels: Tensor, palette: Tensor) -> Tensor:
    return torch.cdist(pixels.flatten(0, 1), palette).argmin(1).view(pixels.shape[:2])


def _eroded(mask: Tensor) -> Tensor:
    """Keep the pixels whose eight neighbours are in the mask too."""
    return -functional.max_pool2d(-mask.float()[None], 3, 1, 1)[0] > 0.5


def _connected(seed: Tensor, mask: Tensor) -> Tensor:
    """Grow a seed inside a mask as far as it goes."""
    while True:
        grown = (functional.max_pool2d(seed.float()[None], 3, 1, 1)[0] > 0.5) & mask
        if torch.equal(grown, seed):
            return seed
        seed = grown


def _blob(mask: Tensor) -> Blob:
    """Fit every shape's drawing to a mask's bounding box and take the best."""
    resolution = len(mask)
    ys, xs = mask.nonzero().unbind(1)
    ends = torch.stack([torch.stack([v.min(), v.max() + 1]) for v in (xs, ys)]) * 2 / resolution - 1
    centre, half = ends.mean(1), float((ends[:, 1] - ends[:, 0]).max()) / 2
    count = len(SHAPES)
    drawings = coverage(
        torch.arange(count), centre.expand(count, 2), torch.full((count,), half), resolution
    )
    drawings = drawings > 0.5
    overlap = (drawings & mask).sum((1, 2)) / (drawings | mask).sum((1, 2))
    best = int(overlap.argmax())
    x, y = (float(v.float().mean() + 0.5) * 2 / resolution - 1 for v in (xs, ys))
    return Blob(SHAPES[best] if overlap[best] >= _MIN_OVERLAP else None, half, (x, y))
