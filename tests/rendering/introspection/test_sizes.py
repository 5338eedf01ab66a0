"""How large a picture will be."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.rendering.introspection.sizes import Size, picture_size, require_size

WIDTH, HEIGHT = 48, 64
PIXELS = np.zeros((HEIGHT, WIDTH, 3))


class TextToImage:
    """Trained for 512×512; its VAE makes 8 pixels of a latent, and 16 of them at once."""

    vae = SimpleNamespace(config=SimpleNamespace(latent_channels=4))
    unet = SimpleNamespace(config=SimpleNamespace(sample_size=64))
    image_processor = SimpleNamespace(config={"vae_scale_factor": 16})
    vae_scale_factor = 8

    def __call__(self, width: Any = None, height: Any = None, image: Any = None) -> None:
        """An image is only looked at."""


class ImageToImage(TextToImage):
    """As large as the image."""

    def __call__(self, image: Any, strength: float = 1.0) -> None:  # type: ignore[override]
        """It has a strength."""


class Controlled(TextToImage):
    """It follows the outlines in the image."""

    controlnet = SimpleNamespace(config=SimpleNamespace())


@pytest.mark.parametrize(
    ("pipe", "settings", "size"),
    [
        (TextToImage(), {}, (512, 512)),
        (TextToImage(), {"width": 256}, (256, 512)),
        (TextToImage(), {"image": PIXELS}, (512, 512)),
        (TextToImage(), {"control_image": PIXELS}, (48, 64)),
        (TextToImage(), {"latents": torch.zeros(1, 4, 8, 6)}, (48, 64)),
        (TextToImage(), {"latents": torch.zeros(1, 12, 64)}, (512, 512)),
        (Controlled(), {"image": PIXELS}, (48, 64)),
        (Controlled(), {"image": PIXELS, "height": 96}, (48, 96)),
        (ImageToImage(), {"image": PIXELS}, (48, 64)),
        (ImageToImage(), {"image": PIXELS[None]}, (48, 64)),
        (ImageToImage(), {"image": torch.zeros(1, 3, HEIGHT, WIDTH)}, (48, 64)),
        (ImageToImage(), {"image": torch.zeros(3, HEIGHT, WIDTH)}, (48, 64)),
        (ImageToImage(), {"image": torch.zeros(1, 4, 8, 6)}, (48, 64)),
        (ImageToImage(), {"image": [Image.new("RGB", (WIDTH + 15, HEIGHT + 1))]}, (48, 64)),
        (ImageToImage(), {"image": []}, (512, 512)),
        (ImageToImage(), {"image": [PIXELS, PIXELS[1:]]}, (48, 64)),
        (ImageToImage(), {"image": PIXELS, "latents": torch.zeros(1, 4, 2, 4)}, (32, 16)),
        (ImageToImage(), {"latents": torch.zeros(1, 3, 8, 6)}, (512, 512)),
        (ImageToImage(), {"image": torch.zeros(3)}, (512, 512)),
        (SimpleNamespace(), {}, None),
    ],
)
def test_a_size_is_asked_for_or_the_images_or_the_models(
    pipe: Any, settings: dict[str, Any], size: Size | None
) -> None:
    """The image counts that a picture is drawn over, rounded down to what the model makes."""
    if isinstance(pipe, SimpleNamespace):
        pipe = type("Unknown", (), {"__call__": lambda self: None})()

    assert size == picture_size(pipe, settings)


class WithDefaults(TextToImage):
    """Its call says the size."""

    def __call__(self, width: int = 640, height: int = 384) -> None:  # type: ignore[override]
        """It draws from a text."""


def part(**changed: Any) -> Any:
    """A pipeline like TextToImage, with other attributes."""
    return type("Part", (TextToImage,), changed)()


@pytest.mark.parametrize(
    ("pipe", "size"),
    [
        (WithDefaults(), (640, 384)),
        (part(default_sample_size=32), (256, 256)),
        (part(default_sample_size=(32, 16)), (128, 256)),
        (part(unet=SimpleNamespace(config=SimpleNamespace(sample_size=[8, 16]))), (128, 64)),
        (part(unet=None, transformer=TextToImage.unet), (512, 512)),
        (part(unet=None), None),
        (part(vae_scale_factor=None), None),
    ],
)
def test_the_models_own_size_is_its_calls_or_its_latents(pipe: Any, size: Size | None) -> None:
    """Height comes first in a configuration; without one, nothing is known."""
    assert size == picture_size(pipe, {})
    if size is None:
        assert [None, None] == [picture_size(pipe, {side: 64}) for side in ("width", "height")]
        assert (64, 32) == picture_size(pipe, {"width": 64, "height": 32})


def test_as_many_pixels_as_the_largest_square_are_allowed() -> None:
    """One row more is not; without a limit or a size nothing is refused."""
    require_size(64, (128, 32))
    require_size(None, (10**6, 10**6))
    require_size(1, None)
    with pytest.raises(MpsDoctorError) as refused:
        require_size(64, (128, 33))
    assert (refused.value.title, refused.value.detail, refused.value.hint) == (
        "128×33 is larger than what is forecast to fit on this machine",
        "The profile's largest_side is 64: 64×64, or as many pixels.",
        "Make it smaller. `mpsdoctor plan MODEL` says what fits, and with which settings.",
    )
