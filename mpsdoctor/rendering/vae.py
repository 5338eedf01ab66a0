"""Settings of a pipeline's VAE, on the VAE itself.

Diffusers 0.40 removed `enable_vae_tiling` and the like from pipelines.
"""

from collections.abc import Callable
from functools import partial

import torch
from diffusers import DiffusionPipeline, ModelMixin


def set_vae(pipe: DiffusionPipeline, feature: str, enabled: bool) -> None:
    """Turns "tiling" or "slicing" on or off, where the VAE has it."""
    switch = f"enable_{feature}" if enabled else f"disable_{feature}"
    if hasattr(getattr(pipe, "vae", None), switch):
        getattr(pipe.vae, switch)()


def decode_in(pipe: DiffusionPipeline, dtype: torch.dtype | None) -> None:
    """Lets the VAE decode in another number format than that of its weights; None undoes it.

    The weights keep theirs between pictures: on mps the pipeline of SDXL puts a VAE of another
    format than the latents' back into that, and decodes black.
    """
    vae = getattr(pipe, "vae", None)
    if vae is None:
        return
    vars(vae).pop("decode", None)
    if dtype is not None:
        vae.decode = partial(_decode, vae, vae.decode, dtype)


def _decode(
    vae: ModelMixin,
    decode: Callable[..., object],
    dtype: torch.dtype,
    latents: torch.Tensor,
    *args: object,
    **kwargs: object,
) -> object:
    before = vae.dtype
    vae.to(dtype)
    try:
        return decode(latents.to(dtype), *args, **kwargs)
    finally:
        vae.to(before)
