"""Judge pictures of scenes by their pixels alone.

Run it with `python -m mpsdoctor.shapes.training.judge DIR`. The judge knows the drawings, and
nothing of the model.
"""

import argparse
import json
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import torch
from diffusers import DiffusionPipeline
from PIL import Image

from mpsdoctor.shapes.captions import (
    SIZES,
    Placement,
    Scene,
    caption,
    sample_scene,
)
from mpsdoctor.shapes.training.drawing import radius
from mpsdoctor.shapes.training.grid import grid
from mpsdoctor.shapes.training.recognition import Blob, find_objects

STEPS: Final = 12
GUIDANCE: Final = 4.0

_SEED: Final = 20_000
_DIRECTIONS: Final[dict[Placement, tuple[int, int]]] = {
    "left": (-1, 0),
    "right": (1, 0),
    "above": (0, -1),
    "below": (0, 1),
}


@dataclass(frozen=True)
class Verdict:
    """What is right in a picture; `placement` is None where the scene has one object."""

    background: bool
    colours: bool
    shapes: bool
    sizes: bool
    placement: bool | None

    @property
    def flawless(self) -> bool:
        """Whether nothing is wrong."""
        return False not in asdict(self).values()


def judge(image: Image.Image, scene: Scene) -> Verdict:
    """Compare a square picture with what the scene asks for."""
    background, blobs = find_objects(image)
    wanted = {item.colour: item for item in scene.items}
    found = [(item, blobs[item.colour]) for item in scene.items if item.colour in blobs]
    everything = len(found) == len(scene.items)
    placement = None
    if scene.placement is not None:
        placement = everything and _lies(scene.placement, found[0][1], found[1][1])
    return Verdict(
        background=background == scene.background,
        colours=blobs.keys() == wanted.keys(),
        shapes=everything and all(item.shape == blob.shape for item, blob in found),
        sizes=everything and all(item.size == _size(blob, scene) for item, blob in found),
        placement=placement,
    )


def held_out(count: int) -> list[tuple[Scene, str]]:
    """Sample scenes whose combinations the training never saw, with their captions."""
    rng = random.Random(_SEED)
    scenes = [sample_scene(rng, held_out=True) for _ in range(count)]
    return [(scene, caption(scene, rng)) for scene in scenes]


def render(
    model: Path, captions: Sequence[str], device: str = "cpu", batch: int = 1
) -> Iterator[Image.Image]:
    """Draw captions with the pipeline in a folder, in float32, each with a seed of its own."""
    pipeline = DiffusionPipeline.from_pretrained(model).to(device)
    pipeline.set_progress_bar_config(disable=True)
    for start in range(0, len(captions), batch):
        part = list(captions[start : start + batch])
        seeds = range(start, start + len(part))
        yield from pipeline(
            part,
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            generator=[torch.Generator().manual_seed(seed) for seed in seeds],
        ).images


def figures(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Give the share of pictures in which each thing is right, from 0 to 1."""
    pairs = [verdict for verdict in verdicts if verdict.placement is not None]
    return {
        "object and background colours": _share(v.background and v.colours for v in verdicts),
        "shapes": _share(v.shapes for v in verdicts),
        "placement of two objects": _share(v.placement is True for v in pairs),
        "sizes": _share(v.sizes for v in verdicts),
        "everything": _share(v.flawless for v in verdicts),
    }


def main(arguments: list[str] | None = None) -> None:
    """Draw held-out captions with a model and print how many are right."""
    parser = argparse.ArgumentParser(description="Judge the embedded model.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=1, help="pictures drawn at once")
    parser.add_argument("--grid", type=Path, help="save the first 24 pictures in one")
    parser.add_argument("--json", type=Path, help="save the figures and every verdict")
    options = parser.parse_args(arguments)

    cases = held_out(options.count)
    start = time.monotonic()
    images = list(render(options.model, [text for _, text in cases], options.device, options.batch))
    seconds = (time.monotonic() - start) / len(cases)
    verdicts = [judge(image, scene) for image, (scene, _) in zip(images, cases, strict=True)]

    shares = figures(verdicts)
    for name, share in shares.items():
        print(f"{name:32}{share:7.1%}")
    print(f"{len(cases)} pictures, {seconds:.2f} s each, on {options.device}")
    for (_, text), verdict in zip(cases, verdicts, strict=True):
        if not verdict.flawless:
            wrong = [name for name, right in asdict(verdict).items() if right is False]
            print(f"  wrong {', '.join(wrong)}: {text}")
    if options.grid:
        grid(images[:24], [text for _, text in cases]).save(options.grid, optimize=True)
    if options.json:
        rows = [{"caption": c[1], **asdict(v)} for c, v in zip(cases, verdicts, strict=True)]
        options.json.write_text(json.dumps({"figures": shares, "verdicts": rows}, indent=1))


def _share(outcomes: Iterable[bool]) -> float:
    listed = list(outcomes)
    return sum(listed) / len(listed) if listed else float("nan")


def _size(blob: Blob, scene: Scene) -> str:
    return min(SIZES, key=lambda size: abs(radius(size, scene) - blob.radius))


def _lies(placement: Placement, first: Blob, second: Blob) -> bool:
    """Tell whether the way from the second to the first goes mainly in that direction."""
    x, y = _DIRECTIONS[placement]
    dx, dy = (a - b for a, b in zip(first.centroid, second.centroid, strict=True))
    along, across = dx * x + dy * y, dx * y + dy * x
    return along > abs(across)


if __name__ == "__main__":
    main()
