"""What is known of a model before anything of it is loaded."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.knowledge import recommended
from mpsdoctor.knowledge.recommended import Recommendation
from mpsdoctor.planning.configs import Configs
from mpsdoctor.planning.footprint import Footprint


class Denoiser(str, Enum):
    """The network that removes noise; the effect of attention slicing depends on it."""

    UNET = "unet"
    TRANSFORMER = "transformer"


@dataclass(frozen=True)
class Needs:
    """A model as a profile names it. Fields are None if its config files do not say.

    `side` is the width and height, in pixels, of the pictures it was trained for. `pipeline` is the
    name of its Diffusers class. `footprints` are its needs at the sizes for which they are known.
    `recommended` are the settings that its authors recommend.
    """

    model: str
    denoiser: Denoiser | None = None
    side: int | None = None
    pipeline: str | None = None
    footprints: tuple[Footprint, ...] = ()
    recommended: Recommendation | None = None

    @property
    def embedded(self) -> bool:
        """Whether it is the model that ships with mpsdoctor."""
        return self.model == EMBEDDED_MODEL

    def in_dtype(self, dtype: str) -> list[Footprint]:
        """The footprints in one number format."""
        return [footprint for footprint in self.footprints if footprint.dtype == dtype]


def needs_of(model: str, configs: Configs | None, footprints: tuple[Footprint, ...] = ()) -> Needs:
    """`configs` are the model's config files, if they are known."""
    if configs is None:
        advice = recommended.find(model, {})
        side = advice.side if advice else None
        return Needs(model, side=side, footprints=footprints, recommended=advice)
    advice = configs.recommended
    denoiser = next((kind for kind in Denoiser if kind.value in configs.classes), None)
    side = advice.side if advice else None
    if side is None and denoiser:
        side = _side(configs.components, denoiser)
    return Needs(model, denoiser, side, configs.pipeline or None, footprints, advice)


def _side(components: dict[str, dict[str, Any]], denoiser: Denoiser) -> int | None:
    """Diffusers' default size: the denoiser's sample size times the VAE's downscaling."""
    sample_size = components.get(denoiser.value, {}).get("sample_size")
    blocks = components.get("vae", {}).get("block_out_channels")
    if not isinstance(sample_size, int) or not isinstance(blocks, list):
        return None
    return sample_size * int(2 ** (len(blocks) - 1))
