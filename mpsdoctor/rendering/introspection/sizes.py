"""How large a picture will be, and whether that is allowed. Sizes are (width, height) in pixels."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.rendering.introspection.components import component
from mpsdoctor.rendering.introspection.signature import arguments

Size = tuple[int, int]


def picture_size(pipe: Any, settings: Mapping[str, Any]) -> Size | None:  # noqa: ANN401
    """The size of pictures that the pipeline makes with `settings`; None if unknown."""
    default = source_size(pipe, settings) or _default_size(pipe) or (None, None)
    width, height = (
        settings.get(side) or own for side, own in zip(("width", "height"), default, strict=True)
    )
    return (width, height) if width and height else None


def source_size(pipe: Any, settings: Mapping[str, Any]) -> Size | None:  # noqa: ANN401
    """The size of the latents or image in `settings` that a picture is drawn over; None without.

    It is rounded down to a size that the model can make, as Diffusers does
    (`VaeImageProcessor.get_default_height_width`). An image that is only a reference, as for an
    IP-Adapter or FLUX.1 Kontext, does not count.
    """
    latents = settings.get("latents")
    if latents is not None:
        return _latents_size(pipe, latents)
    for name in ("image", "control_image"):
        image = settings.get(name)
        if image is not None and (name == "control_image" or _draws_over(pipe)):
            return _rounded(pipe, _image_size(pipe, image))
    return None


def require_size(largest_side: int | None, size: Size | None) -> None:
    """Raises MpsDoctorError for a picture that is too large.

    It would make the Mac swap, abort the process, or be silently wrong.
    """
    if largest_side is None or size is None:
        return
    width, height = size
    if width * height > largest_side**2:
        raise MpsDoctorError(
            f"{width}×{height} is larger than what is forecast to fit on this machine",
            detail=f"The profile's largest_side is {largest_side}: {largest_side}×{largest_side}, "
            "or as many pixels.",
            hint="Make it smaller. `mpsdoctor plan MODEL` says what fits, and with which settings.",
        )


def _draws_over(pipe: Any) -> bool:  # noqa: ANN401
    """Image to image and inpainting have a `strength`; ControlNets follow the image's outlines."""
    accepted = arguments(pipe)
    controlled = getattr(pipe, "controlnet", None) is not None
    return controlled or "strength" in accepted or "width" not in accepted


def _image_size(pipe: Any, image: Any) -> Size | None:  # noqa: ANN401
    """The size of a PIL image, an array (…, height, width, 3) or a tensor (…, 3, height, width).

    Of several images, the first counts. A tensor can hold latents instead of pixels.
    """
    if isinstance(image, list | tuple):
        return _image_size(pipe, image[0]) if image else None
    if not hasattr(image, "shape"):
        size: Size | None = getattr(image, "size", None)
        return size
    shape = image.shape
    if len(shape) < 3:
        return None
    if isinstance(image, np.ndarray):
        return shape[-2], shape[-3]
    return _latents_size(pipe, image) or (shape[-1], shape[-2])


def _latents_size(pipe: Any, latents: Any) -> Size | None:  # noqa: ANN401
    """Of (…, channels, height, width); None if they are packed as FLUX's are, or are pixels."""
    channels = getattr(getattr(component(pipe, "vae"), "config", None), "latent_channels", None)
    shape, scale = latents.shape, getattr(pipe, "vae_scale_factor", None)
    if len(shape) != 4 or shape[1] != channels or not isinstance(scale, int):
        return None
    return shape[3] * scale, shape[2] * scale


def _rounded(pipe: Any, size: Size | None) -> Size | None:  # noqa: ANN401
    config = getattr(getattr(pipe, "image_processor", None), "config", {})
    step = config.get("vae_scale_factor") or 1
    return size and (size[0] - size[0] % step, size[1] - size[1] % step)


def _default_size(pipe: Any) -> Size | None:  # noqa: ANN401
    """The call's default, else the size of the latents that the model was trained on."""
    accepted = arguments(pipe)
    defaults = [accepted[side].default for side in ("width", "height") if side in accepted]
    if len(defaults) == 2 and all(isinstance(side, int) for side in defaults):
        return defaults[0], defaults[1]
    denoiser = component(pipe, "unet", "transformer")
    trained = getattr(getattr(denoiser, "config", None), "sample_size", None)
    latents = getattr(pipe, "default_sample_size", None) or trained
    scale = getattr(pipe, "vae_scale_factor", None)
    if not latents or not isinstance(scale, int):
        return None
    height, width = latents if isinstance(latents, list | tuple) else (latents, latents)
    return width * scale, height * scale
