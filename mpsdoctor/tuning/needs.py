"""What is known of a model before anything of it is loaded."""

import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from mpsdoctor.constants import EMBEDDED_MODEL


class Denoiser(str, Enum):
    """The network that removes noise: what attention slicing can do depends on it."""

    UNET = "unet"
    TRANSFORMER = "transformer"


@dataclass(frozen=True)
class Needs:
    """A model as a profile names it; None where its config files do not say.

    `side` is the width and height, in pixels, of the pictures it was trained for; `pipeline` the
    name of its Diffusers class.
    """

    model: str
    denoiser: Denoiser | None = None
    side: int | None = None
    pipeline: str | None = None

    @property
    def embedded(self) -> bool:
        """Whether it is the model that ships with mpsdoctor."""
        return self.model == EMBEDDED_MODEL


def needs_of(model: str, folder: Path | None) -> Needs:
    """`folder` is where the model lies on this disk, if it does."""
    if folder is None:
        return Needs(model)
    index = _config(folder / "model_index.json")
    denoiser = next((kind for kind in Denoiser if kind.value in index), None)
    side = _side(folder) if denoiser is Denoiser.UNET else None
    pipeline = index.get("_class_name")
    return Needs(model, denoiser, side, pipeline if isinstance(pipeline, str) else None)


def _side(folder: Path) -> int | None:
    """Diffusers' default size: the UNet's sample size times the VAE's downscaling."""
    sample_size = _config(folder / "unet" / "config.json").get("sample_size")
    blocks = _config(folder / "vae" / "config.json").get("block_out_channels")
    if not isinstance(sample_size, int) or not isinstance(blocks, list):
        return None
    return sample_size * int(2 ** (len(blocks) - 1))


def _config(file: Path) -> dict[str, Any]:
    try:
        config = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}
