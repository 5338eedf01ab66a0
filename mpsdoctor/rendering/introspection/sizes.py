"""How large a picture will be, and whether that is allowed."""

from typing import Any

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.rendering.introspection.components import component
from mpsdoctor.rendering.introspection.signature import arguments


def picture_size(
    pipe: Any,  # noqa: ANN401
    width: int | None,
    height: int | None,
) -> tuple[int, int] | None:
    """(width, height) in pixels, from the model where they are None; None where that is unknown."""
    default_width, default_height = _default_size(pipe) or (None, None)
    width, height = width or default_width, height or default_height
    return (width, height) if width and height else None


def require_size(largest_side: int | None, size: tuple[int, int] | None) -> None:
    """A picture too large makes the Mac swap, or ends the process, or is silently wrong.

    Raises MpsDoctorError.
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


def _default_size(pipe: Any) -> tuple[int, int] | None:  # noqa: ANN401
    """A default of the call, else the size of the latents that the model was trained on."""
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
