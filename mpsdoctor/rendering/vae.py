"""Settings of a pipeline's VAE, made on the VAE itself.

Diffusers 0.40 removed `enable_vae_tiling` and the like from pipelines.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from diffusers import DiffusionPipeline, ModelMixin

from mpsdoctor.rendering.broken import not_finite
from mpsdoctor.rendering.introspection.components import component

_Decode = Callable[..., Any]
"""Takes latents, of shape (pictures, channels, height, width); the pixels are its result's [0]."""


def set_vae(pipe: DiffusionPipeline, feature: str, enabled: bool) -> None:
    """Turns "tiling" or "slicing" on or off, if the VAE has it."""
    switch = f"enable_{feature}" if enabled else f"disable_{feature}"
    vae = component(pipe, "vae")
    if hasattr(vae, switch):
        getattr(vae, switch)()


def decode_in(pipe: DiffusionPipeline, dtype: torch.dtype | None) -> None:
    """Lets the VAE decode in another number format than its weights have; None undoes it.

    The weights keep their format between pictures. Otherwise SDXL's pipeline on mps would cast the
    VAE back to the latents' format, and decode black.
    """
    vae = component(pipe, "vae")
    if vae is None:
        return
    replaced = vars(vae).get("decode")
    if isinstance(replaced, partial) and replaced.func is _decode:
        _put_back(vae, replaced.args[1])
    if dtype is not None:
        vae.decode = partial(_decode, vae, vae.decode, dtype)


def _put_back(vae: ModelMixin, decode: _Decode) -> None:
    """Restores the VAE's `decode`: an attribute of the instance if its owner has compiled it."""
    del vae.decode
    if decode != vae.decode:
        vae.decode = decode


def _decode(
    vae: ModelMixin,
    decode: _Decode,
    dtype: torch.dtype,
    latents: torch.Tensor,
    *args: object,
    **kwargs: object,
) -> Any:  # noqa: ANN401
    before = vae.dtype
    vae.to(dtype)
    try:
        return decode(latents.to(dtype), *args, **kwargs)
    finally:
        vae.to(before)


@contextmanager
def infinity_refused(pipe: DiffusionPipeline) -> Iterator[None]:
    """Inside the block, decoding raises BrokenPictureError for NaN and infinity.

    The pipeline itself would clamp infinity to white.
    """

    def checked(decode: _Decode, latents: torch.Tensor, *args: object, **kwargs: object) -> Any:  # noqa: ANN401
        decoded = decode(latents, *args, **kwargs)
        if not torch.isfinite(decoded[0]).all():
            raise not_finite()
        return decoded

    with _decoding_by(pipe, checked):
        yield


@dataclass
class Decoding:
    """Whether the first decoding gave a broken picture."""

    again: bool = False


@contextmanager
def decoded_again(pipe: DiffusionPipeline) -> Iterator[Decoding]:
    """Inside the block, finite latents that decode to a broken picture are decoded in float32."""
    decoding = Decoding()

    def twice(decode: _Decode, latents: torch.Tensor, *args: object, **kwargs: object) -> Any:  # noqa: ANN401
        decoded = decode(latents, *args, **kwargs)
        if _is_picture(decoded[0]) or not torch.isfinite(latents).all():
            return decoded
        decoding.again = True
        return _decode(component(pipe, "vae"), decode, torch.float32, latents, *args, **kwargs)

    with _decoding_by(pipe, twice):
        yield decoding


def _is_picture(pixels: torch.Tensor) -> bool:
    """(…, height, width) from -1 to 1: finite, and more than one colour on 256 levels."""
    levels = ((pixels.float() + 1) * 127.5).clamp(0, 255).round()
    return bool(torch.isfinite(pixels).all() and (levels != levels[..., :1, :1]).any())


@contextmanager
def _decoding_by(pipe: DiffusionPipeline, decode: Callable[..., Any]) -> Iterator[None]:
    """`decode` gets the VAE's own `decode` as its first argument."""
    vae = component(pipe, "vae")
    if vae is None:
        yield
        return
    present = vae.decode
    vae.decode = partial(decode, present)
    try:
        yield
    finally:
        _put_back(vae, present)
