"""The number format of weights, beside the profile's."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import T5Config, T5EncoderModel

from mpsdoctor.profile.settings import Profile
from mpsdoctor.rendering.number_format import DTYPE_ARGUMENT, advice, convert, differing
from tests.support.pipelines import flux

HALF = Profile(device="cpu", dtype="bfloat16", vae_dtype="float32")


def formats(module: nn.Module) -> set[torch.dtype]:
    return {weight.dtype for weight in (*module.parameters(), *module.buffers())}


def test_each_component_in_another_format_is_named(pipe: Any) -> None:
    """A VAE may be in what it decodes in; a profile that names no format has no opinion."""
    assert {"text_encoder": "float32", "unet": "float32"} == differing(pipe, HALF)
    assert {} == differing(pipe, Profile(device="cpu"))

    pipe.unet.to(torch.bfloat16)
    pipe.vae.to(torch.float16)
    differ = differing(pipe, HALF)

    assert {"text_encoder": "float32", "vae": "float16"} == differ
    ordered = {name: differ[name] for name in ("vae", "text_encoder")}
    assert advice(pipe, HALF, ordered) == (
        "The profile's number format is bfloat16, but this StableDiffusionPipeline has vae in "
        "float16 and text_encoder in float32. Load it with "
        f"AutoencoderKL.from_pretrained(…, {DTYPE_ARGUMENT}=torch.bfloat16) and "
        f"CLIPTextModel.from_pretrained(…, {DTYPE_ARGUMENT}=torch.bfloat16), or convert it: "
        "profile.apply(pipe, convert=True)."
    )


def test_a_pipeline_in_another_format_is_loaded_again_by_one_line(pipe: Any) -> None:
    """With the name that it was loaded from, where it has one."""
    profile = Profile(device="cpu", dtype="float16")
    pipe.register_to_config(_name_or_path="me/mine")

    differ = dict.fromkeys(("unet", "vae", "text_encoder"), "float32")
    assert differ == differing(pipe, profile)
    line = f'StableDiffusionPipeline.from_pretrained("me/mine", {DTYPE_ARGUMENT}=torch.float16)'
    told = (
        "The profile's number format is float16, but this StableDiffusionPipeline has unet, vae, "
        "text_encoder in float32. Load it with {}, or convert it: "
        "profile.apply(pipe, convert=True)."
    )
    assert told.format(line) == advice(pipe, profile, differ)
    pipe.register_to_config(_name_or_path="")
    assert told.format(line.replace('"me/mine"', "…")) == advice(pipe, profile, differ)


def test_converting_keeps_in_float32_what_from_pretrained_keeps(tmp_path: Path) -> None:
    """T5's wo in float16, layers that Diffusers names in bfloat16 too, and buffers of no file."""
    pipe = flux(tmp_path)
    pipe.text_encoder_2 = T5EncoderModel(
        T5Config(vocab_size=32, d_model=32, d_kv=8, d_ff=37, num_layers=1, num_heads=4)
    )
    pipe.transformer._keep_in_fp32_modules = ["proj_out"]
    pipe.text_encoder.register_buffer("frequencies", torch.rand(3), persistent=False)

    convert(pipe, Profile(device="cpu", dtype="float16"))

    kept = {
        name
        for part in ("transformer", "text_encoder_2", "text_encoder", "vae")
        for name, weight in getattr(pipe, part).named_parameters()
        if weight.dtype is torch.float32
    }
    assert {"wo", "proj_out"} == {name.split(".")[-2] for name in kept}
    assert torch.float32 is pipe.text_encoder.frequencies.dtype
    assert {} == differing(pipe, Profile(device="cpu", dtype="float16"))

    convert(pipe, Profile(device="cpu", dtype="bfloat16"))
    assert {torch.bfloat16} == formats(pipe.text_encoder_2)


class Packed(nn.Parameter):
    """As the libraries mark weights that are quantized (GGUFParameter, Params4bit, QTensor)."""


def quantize_by_class(unet: Any) -> None:
    unet.conv_in.weight = Packed(unet.conv_in.weight.data)


def quantize_to_integers(unet: Any) -> None:
    unet.conv_in.weight = nn.Parameter(torch.zeros(3, dtype=torch.uint8), requires_grad=False)


def quantize_by_quantizer(unet: Any) -> None:
    unet.hf_quantizer = object()


@pytest.mark.parametrize(
    "quantize", [quantize_by_class, quantize_to_integers, quantize_by_quantizer]
)
def test_what_is_quantized_stays_as_it_is(pipe: Any, quantize: Any) -> None:
    """It has a format of its own, which is not compared and not converted."""
    quantize(pipe.unet)
    before = [weight.dtype for weight in pipe.unet.parameters()]

    assert "unet" not in differing(pipe, HALF)
    convert(pipe, HALF)

    assert before == [weight.dtype for weight in pipe.unet.parameters()]
    assert {torch.bfloat16} == {weight.dtype for weight in pipe.text_encoder.parameters()}


def test_layers_that_are_only_stored_in_float8_count_as_what_they_compute_in(pipe: Any) -> None:
    """Diffusers' layerwise casting does not matter if it computes in the profile's format."""
    pipe.to(torch.bfloat16)
    pipe.unet.enable_layerwise_casting(torch.float8_e4m3fn, compute_dtype=torch.bfloat16)

    assert {} == differing(pipe, HALF)

    pipe.unet = nn.Linear(2, 2).to(torch.float8_e4m3fn)
    assert {"unet": "float8_e4m3fn"} == differing(pipe, HALF)


def test_weights_that_are_loaded_layer_by_layer_stay_as_they_are(pipe: Any) -> None:
    """They have no values until the pipeline runs."""
    pipe.enable_sequential_cpu_offload(device="cpu")

    convert(pipe, HALF)

    assert "unet" in differing(pipe, HALF)
