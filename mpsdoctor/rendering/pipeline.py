"""Loads a Diffusers pipeline by a profile, and applies a profile to a pipeline."""

import shlex
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers import DiffusionPipeline
from huggingface_hub import try_to_load_from_cache

from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.knowledge.attention.pieces import DEFAULT_BUDGET_MIB
from mpsdoctor.profile.settings import Profile
from mpsdoctor.rendering import number_format
from mpsdoctor.rendering.attention.scope import (
    Bound,
    disable_bounded_attention,
    enable_bounded_attention,
)
from mpsdoctor.rendering.gpu import require_device
from mpsdoctor.rendering.schedulers import set_default_scheduler
from mpsdoctor.rendering.vae import decode_in, set_vae
from mpsdoctor.resources import embedded_model
from mpsdoctor.units import MIB

Pipe = TypeVar("Pipe", bound=DiffusionPipeline)


def load_pipeline(profile: Profile, *, local_files_only: bool = False) -> DiffusionPipeline:
    """The text-to-image pipeline of the profile's model, ready on the profile's device.

    Pickled weights are refused by default, code from the model's repository always. Missing files
    are downloaded, unless `local_files_only`.

    Raises MpsDoctorError if the model cannot be loaded, or torch cannot use the device.
    """
    require_device(profile.device)
    try:
        pipe = _from_pretrained(_source(profile.model, local_files_only), profile)
        pipe.register_to_config(_name_or_path=profile.model)
    except (OSError, ValueError, ImportError) as error:
        raise _cannot_load(profile.model, error) from error
    return apply(profile, pipe)


def apply(profile: Profile, pipe: Pipe, *, convert: bool = False) -> Pipe:
    """Moves `pipe` to the profile's device and gives it the profile's settings; returns it.

    The weights keep their number format, unless `convert`. VAE tiling and slicing change only if
    the profile sets them. Weights that Accelerate moves stay where they are.

    Raises MpsDoctorError if torch cannot use the device.
    """
    require_device(profile.device)
    if convert:
        number_format.convert(pipe, profile)
    if not _is_placed(pipe):
        pipe.to(profile.device)
    set_default_scheduler(pipe, profile.scheduler, profile.timestep_spacing)
    _set_attention(pipe, profile)
    for feature in ("tiling", "slicing"):
        if f"vae_{feature}" in profile.model_fields_set:
            set_vae(pipe, feature, getattr(profile, f"vae_{feature}"))
    decode_in(pipe, getattr(torch, profile.vae_dtype) if profile.vae_dtype else None)
    return pipe


def _is_placed(pipe: DiffusionPipeline) -> bool:
    """Whether Accelerate moves the weights: by hooks that offload, or by a map to several devices.

    Moving them would undo the offload. With a map, Diffusers refuses to (`DiffusionPipeline.to`).
    """
    placement = getattr(pipe, "hf_device_map", None)
    mapped = isinstance(placement, dict) and len(placement) > 1
    return mapped or any(hasattr(part, "_hf_hook") for part in pipe.components.values())


def _source(model: str, local_files_only: bool) -> str:
    """The argument of `from_pretrained`: without downloads, a model's folder.

    Given an id, Diffusers can demand files that it would not load, even if the model is on this
    disk. Given a folder, it takes the files that are there.
    """
    if model == EMBEDDED_MODEL:
        return str(embedded_model())
    if not local_files_only or Path(model).is_dir():
        return model
    index = try_to_load_from_cache(model, DiffusionPipeline.config_name)
    if not isinstance(index, str):
        raise OSError("It is not in Hugging Face's cache on this disk.")
    return str(Path(index).parent)


def _from_pretrained(source: str, profile: Profile) -> DiffusionPipeline:
    arguments: dict[str, Any] = {
        number_format.DTYPE_ARGUMENT: getattr(torch, profile.dtype),
        # If pickles are allowed: False would load nothing else, None still prefers safetensors.
        "use_safetensors": profile.use_safetensors or None,
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
    disable_bounded_attention(pipe)
    if profile.attention == "sliced":
        pipe.enable_attention_slicing()
        return
    if _is_sliced(pipe):
        pipe.disable_attention_slicing()
    if profile.attention == "bounded":
        budget = (profile.attention_budget or DEFAULT_BUDGET_MIB) * MIB
        enable_bounded_attention(pipe, Bound(budget, profile.device))


def _is_sliced(pipe: DiffusionPipeline) -> bool:
    processors = getattr(getattr(pipe, "unet", None), "attn_processors", {})
    return any(type(processor).__name__.startswith("Sliced") for processor in processors.values())


def _cannot_load(model: str, error: Exception) -> MpsDoctorError:
    if Path(model).exists() or model == EMBEDDED_MODEL:
        hint = "Check that the folder has `model_index.json` and a folder for each component."
    else:
        command = shlex.join(("mpsdoctor", "pull", model))
        hint = f"If it is not on this machine yet, or incomplete, download it: {command}"
    return MpsDoctorError(f"The model {model} cannot be loaded", detail=str(error), hint=hint)
