"""The number format of a pipeline's weights: whether it is the profile's, and how to convert it.

Formats are named as in a profile: "float16", "bfloat16", "float32".
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import diffusers
import torch
from diffusers import DiffusionPipeline
from packaging.version import Version
from torch import nn

from mpsdoctor.profile.settings import Profile
from mpsdoctor.rendering.introspection.components import original
from mpsdoctor.rendering.introspection.model import model_of

DTYPE_ARGUMENT: Final = (
    "dtype" if Version(diffusers.__version__) >= Version("0.40.0.dev0") else "torch_dtype"
)
"""Of `from_pretrained`: renamed in Diffusers 0.40 (diffusers #14205)."""


def differing(pipe: DiffusionPipeline, profile: Profile) -> dict[str, str]:
    """The components whose weights are not in the profile's format, each with its actual format.

    Quantized components are left out, and so is a VAE in the format that it decodes in. Empty if
    the profile names no format.
    """
    if "dtype" not in profile.model_fields_set:
        return {}
    return {
        name: found
        for name, module in _networks(pipe).items()
        if (found := _format(module)) not in (None, profile.dtype)
        and not (name == "vae" and found == profile.vae_dtype)
    }


def convert(pipe: DiffusionPipeline, profile: Profile) -> None:
    """Casts the weights that differ. Precision that the old format lacked stays lost.

    Layers that the model's authors keep in float32 become float32. Weights that Accelerate loads
    layer by layer while the pipeline runs are left unchanged.
    """
    networks = _networks(pipe)
    for name in differing(pipe, profile):
        if not any(weight.is_meta for weight in networks[name].parameters()):
            _cast(networks[name], getattr(torch, profile.dtype))


def advice(pipe: DiffusionPipeline, profile: Profile, differ: Mapping[str, str]) -> str:
    """Which components are in other formats, and the code that loads them in the profile's."""
    found = " and ".join(
        f"{', '.join(name for name in differ if differ[name] == each)} in {each}"
        for each in dict.fromkeys(differ.values())
    )
    networks = _networks(pipe)
    whole = all(name in differ for name in networks if _format(networks[name]) is not None)
    kinds = [pipe] if whole else [networks[name] for name in differ]
    source = f'"{model_of(pipe)}"' if whole and model_of(pipe) else "…"
    lines = " and ".join(
        f"{type(kind).__name__}.from_pretrained({source}, {DTYPE_ARGUMENT}=torch.{profile.dtype})"
        for kind in kinds
    )
    return (
        f"The profile's number format is {profile.dtype}, but this {type(pipe).__name__} has "
        f"{found}. Load it with {lines}, or convert it: profile.apply(pipe, convert=True)."
    )


def _networks(pipe: DiffusionPipeline) -> dict[str, nn.Module]:
    parts = {name: original(part) for name, part in pipe.components.items()}
    return {name: part for name, part in parts.items() if isinstance(part, nn.Module)}


def _format(module: nn.Module) -> str | None:
    """The format that it computes in, as the libraries say; None if quantized, or without weights.

    They ignore weights that are kept in float32, and layers that are only stored in float8
    (diffusers: models.modeling_utils.get_parameter_dtype).
    """
    first = next(module.parameters(), None)
    if first is None or _is_quantized(module):
        return None
    return str(getattr(module, "dtype", first.dtype)).removeprefix("torch.")


def _is_quantized(module: nn.Module) -> bool:
    """Quantization libraries store weights as integers, or in their own class of parameter.

    bitsandbytes, GGUF, quanto and torchao all do one or the other.
    """
    if getattr(module, "hf_quantizer", None) is not None:
        return True
    return any(
        type(weight) is not nn.Parameter or not weight.is_floating_point()
        for weight in module.parameters()
    )


def _cast(module: nn.Module, dtype: torch.dtype) -> None:
    """Casts as `from_pretrained` does; the module's own `to` casts differently."""
    kept = _kept_in_float32(module, dtype)
    for name, weight in module.named_parameters():
        to = torch.float32 if kept.intersection(name.split(".")) else dtype
        weight.data = weight.data.to(to)
    for part, name, buffer in _buffers(module):
        part._buffers[name] = buffer.to(dtype)


def _kept_in_float32(module: Any, dtype: torch.dtype) -> frozenset[str]:  # noqa: ANN401
    """Names of layers. Transformers keeps them only for float16, Diffusers for bfloat16 too."""
    kept = list(getattr(module, "_keep_in_fp32_modules_strict", None) or ())
    if dtype is torch.float16 or isinstance(module, diffusers.ModelMixin):
        kept += getattr(module, "_keep_in_fp32_modules", None) or ()
    return frozenset(kept)


def _buffers(module: nn.Module) -> Iterator[tuple[nn.Module, str, torch.Tensor]]:
    """Buffers that are saved with the weights. Others, such as rotary frequencies, stay exact."""
    for part in module.modules():
        for name, buffer in part.named_buffers(recurse=False):
            if buffer.is_floating_point() and name not in part._non_persistent_buffers_set:
                yield part, name, buffer
