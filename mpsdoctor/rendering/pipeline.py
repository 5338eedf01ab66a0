"""Loading a Diffusers pipeline by a profile, and applying the profile to one."""

from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import DiffusionPipeline
from packaging.version import Version

from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.profile.model import Profile
from mpsdoctor.resources import embedded_model


def load_pipeline(profile: Profile, model: str | None = None) -> DiffusionPipeline:
    """The text-to-image pipeline `model` (default: the profile's), ready on the profile's device.

    `model` is a Hugging Face id, a folder, or `shapes`. Pickled weights are refused by default,
    code from the model's repository always.

    Raises MpsDoctorError where the model or the device cannot be had.
    """
    _require_device(profile.device)
    name = model or profile.model
    source = str(embedded_model()) if name == EMBEDDED_MODEL else name
    try:
        pipe = _from_pretrained(source, profile)
    except (OSError, ValueError, ImportError) as error:
        raise _cannot_load(name, error) from error
    return apply(profile, pipe)


def apply(profile: Profile, pipe: DiffusionPipeline) -> DiffusionPipeline:
    """Moves `pipe` to the profile's device and gives it the profile's settings; returns it.

    The number format of its weights stays as it was loaded.
    """
    _require_device(profile.device)
    pipe.to(profile.device)
    _set_attention(pipe, profile)
    _set_vae(pipe, "tiling", profile.vae_tiling)
    _set_vae(pipe, "slicing", profile.vae_slicing)
    return pipe


def _from_pretrained(source: str, profile: Profile) -> DiffusionPipeline:
    # `torch_dtype` became `dtype` in Diffusers 0.40 (diffusers #14205).
    renamed = Version(diffusers.__version__) >= Version("0.40.0.dev0")
    arguments: dict[str, Any] = {
        "dtype" if renamed else "torch_dtype": getattr(torch, profile.dtype),
        "use_safetensors": profile.use_safetensors,
        "trust_remote_code": False,
    }
    if profile.variant is None:
        return DiffusionPipeline.from_pretrained(source, **arguments)
    try:
        return DiffusionPipeline.from_pretrained(source, variant=profile.variant, **arguments)
    except (OSError, ValueError) as error:
        if "variant" not in str(error):
            raise
        return DiffusionPipeline.from_pretrained(source, **arguments)


def _set_attention(pipe: DiffusionPipeline, profile: Profile) -> None:
    if profile.attention == "sliced":
        pipe.enable_attention_slicing()
    elif _is_sliced(pipe):
        pipe.disable_attention_slicing()


def _is_sliced(pipe: DiffusionPipeline) -> bool:
    processors = getattr(getattr(pipe, "unet", None), "attn_processors", {})
    return any(type(processor).__name__.startswith("Sliced") for processor in processors.values())


def _set_vae(pipe: DiffusionPipeline, feature: str, enabled: bool) -> None:
    """On the VAE itself: Diffusers 0.40 removed `enable_vae_tiling` and the like from pipelines."""
    switch = f"enable_{feature}" if enabled else f"disable_{feature}"
    if hasattr(getattr(pipe, "vae", None), switch):
        getattr(pipe.vae, switch)()


def _require_device(device: str) -> None:
    if device == "mps" and not torch.backends.mps.is_available():
        raise MpsDoctorError(
            "torch cannot use the mps device here",
            detail=f"torch {torch.__version__} says that mps is not available.",
            hint="Run `mpsdoctor check`: it says why, and writes a profile that fits.",
        )


def _cannot_load(model: str, error: Exception) -> MpsDoctorError:
    if Path(model).exists() or model == EMBEDDED_MODEL:
        hint = "Check that the folder is complete: `model_index.json` and a folder a component."
    else:
        hint = f"If it is not on this machine yet, download it: hf download {model}"
    return MpsDoctorError(f"The model {model} cannot be loaded", detail=str(error), hint=hint)
