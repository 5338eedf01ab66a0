"""Every value with its rule, reason and evidence, on machines made by hand."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from mpsdoctor.facts.records import (
    Canary,
    CanaryStatus,
    Facts,
    Memory,
    Picture,
    PictureStatus,
    ProbeOutcome,
    System,
    Torch,
)
from mpsdoctor.knowledge.recommended import Recommendation
from mpsdoctor.profile.choice import Choice, Value
from mpsdoctor.tuning import attention, environment, precision, rules
from mpsdoctor.tuning.needs import Denoiser, Needs, needs_of
from mpsdoctor.tuning.rules import tune
from tests.support.footprints import MIB, SQUARES, square
from tests.tuning.test_attention import FLUX, mac


def gpu(
    limit_mib: int,
    torch: str = "2.8.0",
    macos: str = "15.5",
    chip: str = "Apple M1",
    canary: str = "",
) -> Facts:
    """A Mac with 16 GiB whose GPU may hold that much; `canary` failed."""
    facts = mac(torch, 16, macos)
    return replace(
        facts,
        hardware=replace(facts.hardware, chip=chip),
        memory=Memory(working_set_bytes=limit_mib * MIB),
        canaries=(Canary(name=canary, status=CanaryStatus.WRONG, error=1.0),) if canary else (),
    )


UNET = Needs("me/model", Denoiser.UNET, 1024, "StableDiffusionXLPipeline", SQUARES)
"""Its forecasts are computed by hand in tests/tuning/test_fit.py."""

ALONE = Needs("me/model", Denoiser.UNET, 1024, None, (square(1024, 2000, 400),))
TRANSFORMER = Needs(
    "me/model", Denoiser.TRANSFORMER, 1024, "FluxPipeline", (square(1024, 2000, 400, "bfloat16"),)
)
UNKNOWN = Needs("me/model")
SHAPES = Needs("shapes", Denoiser.UNET, 128)
NO_GPU = replace(
    gpu(9000),
    torch=Torch(outcome=ProbeOutcome.ANSWERED, version="2.8.0", mps_available=False),
)
WRONG_PICTURE = replace(
    gpu(9000), picture=Picture(status=PictureStatus.WRONG, device="mps", dtype="float32")
)

CASES: Final[dict[str, tuple[Facts, Needs]]] = {
    "all fits": (gpu(10100), UNET),
    "no larger one fits": (gpu(4100), UNET),
    "fits in pieces": (gpu(3743), UNET),
    "a smaller one fits": (gpu(2499), UNET),
    "nothing fits": (gpu(1000), UNET),
    "nothing fits, in pieces": (gpu(1000), ALONE),
    "a transformer": (gpu(9000, "2.14.1"), TRANSFORMER),
    "slicing works": (gpu(9000, "2.14.1"), ALONE),
    "needs unknown": (gpu(9000, "2.14.1"), UNKNOWN),
    "torch 1.13": (gpu(9000, "1.13.1"), UNET),
    "embedded": (gpu(9000), SHAPES),
    "not a Mac": (replace(NO_GPU, system=System(kernel="Linux")), UNET),
    "no GPU": (NO_GPU, UNET),
    "a wrong canary": (gpu(9000, "1.13.1", "12.6", canary="sdpa"), UNET),
    "a wrong picture": (WRONG_PICTURE, UNET),
    "a format's fault": (gpu(9000, "2.12.1", chip="Apple M5", canary="linear-twice-bf16"), UNET),
    "no bfloat16": (gpu(9000, "2.0.0"), needs_of(FLUX, None)),
    "meant for bfloat16": (gpu(9000, "2.14.1"), Needs("me/model", pipeline="ZImagePipeline")),
    "recommended": (gpu(9000), needs_of("stabilityai/sdxl-turbo", None)),
    "a recommended sampler": (
        gpu(9000),
        Needs(
            "me/model",
            recommended=Recommendation(
                name="Mine",
                models=(),
                sources=("me",),
                scheduler="LCMScheduler",
                timestep_spacing="leading",
                num_inference_steps=3,
                guidance_scale=8.0,
                side=640,
            ),
        ),
    ),
    "a raised limit": (gpu(15550), UNET),
    "used in bfloat16": (gpu(9000, "2.14.1"), Needs("me/model", pipeline="DreamLitePipeline")),
    "made for float16": (gpu(9000), Needs("me/model", pipeline="StableDiffusion3Pipeline")),
    "memory unknown": (mac("2.8.0", None), UNET),
    "conv3d": (gpu(9000, "2.15.0", "26.2", canary="conv3d"), Needs("me/model")),
}
# fmt: off
EXPECTED: Final = [
    ("all fits", "model", "me/model", "model",
     "Named with `check --model`.",
     "",
     "model model"),
    ("all fits", "device", "mps", "device",
     "torch finds this Mac's GPU.",
     "diffusers docs: optimization/mps",
     "a GPU that torch finds; torch 2.8.0; macOS 15.5; Apple M1"),
    ("all fits", "dtype", "float16", "dtype",
     "Half the memory of float32.",
     "diffusers docs: optimization/mps",
     "device mps; model model; StableDiffusionXLPipeline; torch 2.8.0; macOS 15.5; Apple M1"),
    ("all fits", "vae_dtype", "float32", "vae-dtype",
     "The VAE of SDXL exceeds the range of float16: black pictures.",
     "diffusers docs: api/pipelines/sdxl",
     "dtype float16; StableDiffusionXLPipeline"),
    ("all fits", "variant", "fp16", "variant",
     "Reads half as much from disk. A model without it loads its other weights.",
     "diffusers docs: optimization/mps",
     "model model; dtype float16"),
    ("all fits", "use_safetensors", True, "safetensors",
     "Pickled weights can run code while they load.",
     "diffusers docs: using-diffusers/using_safetensors",
     ""),
    ("all fits", "attention", "bounded", "attention-bounded",
     "The forecast of 4.0 GiB at 1024×1024 fits in 9.9 GiB. The limit is what Metal recommends"
     " on this Mac. Before PyTorch 2.14.0 enable_attention_slicing gives NaN on mps: black "
     "pictures.",
     "pytorch #181575; pytorch #149261",
     "device mps; model model; torch 2.8.0; dtype float16; macOS 15.5; RAM 16 GiB; GPU limit "
     "9.9 GiB; needs from 512×512 to 2048×2048; trained for 1024×1024; denoiser unet; Apple M1"),
    ("all fits", "attention_budget", 1024, "attention-budget",
     "A piece size, in MiB, that splits nothing at the model's own size. The attention of "
     "larger pictures is computed in pieces of this size.",
     "",
     "forecast of 4.0 GiB at 1024×1024, limit 9.9 GiB"),
    ("all fits", "vae_tiling", False, "vae-tiling",
     "Tiles save memory but can leave seams.",
     "diffusers docs: optimization/memory",
     "forecast of 4.0 GiB at 1024×1024, limit 9.9 GiB"),
    ("all fits", "vae_slicing", False, "vae-slicing",
     "One picture at a time leaves nothing to slice.",
     "diffusers docs: optimization/memory",
     ""),
    ("all fits", "prime", False, "prime",
     "Only torch 1.13 needs a discarded first pass.",
     "diffusers docs: optimization/mps",
     "device mps; torch 2.8.0"),
    ("all fits", "one_prompt_at_a_time", True, "one-prompt",
     "A batch of prompts can crash or fail on mps.",
     "diffusers docs: optimization/mps",
     ""),
    ("all fits", "width", None, "size",
     "The size that the model was trained for.",
     "",
     "model model; forecast of 4.0 GiB at 1024×1024, limit 9.9 GiB; no recommendation known"),
    ("all fits", "largest_side", 2048, "largest-side",
     "The largest square, in pixels, that is forecast to fit.",
     "pytorch #181575; pytorch #149261",
     "model model; forecast of 4.0 GiB at 1024×1024, limit 9.9 GiB"),
    ("all fits", "num_inference_steps", None, "steps",
     "The number that the model's pipeline has by default.",
     "",
     "model model; no recommendation known"),
    ("all fits", "guidance_scale", None, "guidance",
     "The guidance that the model's pipeline has by default.",
     "",
     "model model; no recommendation known"),
    ("all fits", "scheduler", None, "scheduler",
     "The one that comes with the model.",
     "",
     "no recommendation known"),
    ("all fits", "timestep_spacing", None, "scheduler",
     "As the model's scheduler is configured.",
     "",
     "no recommendation known"),
    ("all fits", "environment.PYTORCH_ENABLE_MPS_FALLBACK", "1", "fallback",
     "An operation that mps lacks runs on the CPU. torch warns of it instead of failing.",
     "pytorch docs: mps_environment_variables",
     "device mps"),
    ("all fits", "environment.PYTORCH_MPS_HIGH_WATERMARK_RATIO", "1.0", "watermark",
     "Keeps torch within what Metal recommends. Its own limit is 1.7 times that, more than "
     "this Mac's memory; swapping turns seconds into minutes.",
     "pytorch docs: mps_environment_variables; pytorch #105839",
     "RAM 16 GiB; GPU limit 9.9 GiB; device mps"),
    ("all fits", "environment.PYTORCH_MPS_LOW_WATERMARK_RATIO", "0.8", "watermark",
     "Must not exceed the high ratio. Otherwise, torch raises an error. Its default is 1.4.",
     "pytorch docs: mps_environment_variables; pytorch #96814",
     "RAM 16 GiB; GPU limit 9.9 GiB; device mps"),
    ("all fits", "environment.PYTORCH_MPS_PREFER_METAL", None, "fault",
     "No known fault of this machine requires it.",
     "",
     "device mps; torch 2.8.0; macOS 15.5; Apple M1"),
    ("all fits", "environment.PYTORCH_MPS_METAL_VERSION", None, "fault",
     "No known fault of this machine requires it.",
     "",
     "device mps; torch 2.8.0; macOS 15.5; Apple M1"),
    ("no larger one fits", "attention", "native", "attention-native",
     "The forecast of 4.0 GiB at 1024×1024 fits in 4.0 GiB. The limit is what Metal recommends"
     " on this Mac. Before PyTorch 2.14.0 enable_attention_slicing gives NaN on mps: black "
     "pictures.",
     "pytorch #181575; pytorch #149261",
     "device mps; model model; torch 2.8.0; dtype float16; macOS 15.5; RAM 16 GiB; GPU limit "
     "4.0 GiB; needs from 512×512 to 2048×2048; trained for 1024×1024; denoiser unet; Apple M1"),
    ("no larger one fits", "attention_budget", None, "attention-budget",
     "Attention is not bounded.",
     "",
     "forecast of 4.0 GiB at 1024×1024, limit 4.0 GiB"),
    ("no larger one fits", "largest_side", 1024, "largest-side",
     "The largest square, in pixels, that is forecast to fit.",
     "pytorch #181575; pytorch #149261",
     "model model; forecast of 4.0 GiB at 1024×1024, limit 4.0 GiB"),
    ("fits in pieces", "attention", "bounded", "attention-bounded",
     "The forecast of 2.9 GiB at 1024×1024 fits in 3.7 GiB. The limit is what Metal recommends"
     " on this Mac. Before PyTorch 2.14.0 enable_attention_slicing gives NaN on mps: black "
     "pictures.",
     "pytorch #181575; pytorch #149261",
     "device mps; model model; torch 2.8.0; dtype float16; macOS 15.5; RAM 16 GiB; GPU limit "
     "3.7 GiB; needs from 512×512 to 2048×2048; trained for 1024×1024; denoiser unet; Apple M1"),
    ("fits in pieces", "attention_budget", 512, "attention-budget",
     "The largest piece size, in MiB, that fits. Fewer and larger pieces are faster.",
     "",
     "forecast of 2.9 GiB at 1024×1024, limit 3.7 GiB"),
    ("fits in pieces", "vae_tiling", True, "vae-tiling",
     "Decoded in one piece, the picture would not fit; tiles can leave seams.",
     "diffusers docs: optimization/memory",
     "forecast of 2.9 GiB at 1024×1024, limit 3.7 GiB"),
    ("a smaller one fits", "attention", "native", "attention-native",
     "The forecast of 2.3 GiB at 512×512 fits in 2.4 GiB. The limit is what Metal recommends "
     "on this Mac. Before PyTorch 2.14.0 enable_attention_slicing gives NaN on mps: black "
     "pictures.",
     "pytorch #181575; pytorch #149261",
     "device mps; model model; torch 2.8.0; dtype float16; macOS 15.5; RAM 16 GiB; GPU limit "
     "2.4 GiB; needs from 512×512 to 2048×2048; trained for 1024×1024; denoiser unet; Apple M1"),
    ("a smaller one fits", "width", 512, "size-fits",
     "The model's own size does not fit. This is the largest known size that does.",
     "",
     "model model; forecast of 2.3 GiB at 512×512, limit 2.4 GiB"),
    ("a smaller one fits", "height", 512, "size-fits",
     "The model's own size does not fit. This is the largest known size that does.",
     "",
     "model model; forecast of 2.3 GiB at 512×512, limit 2.4 GiB"),
    ("nothing fits", "attention", "native", "attention-native",
     "The forecast of 2.3 GiB at 512×512 exceeds 0.98 GiB. The limit is what Metal recommends "
     "on this Mac. Before PyTorch 2.14.0 enable_attention_slicing gives NaN on mps: black "
     "pictures.",
     "pytorch #181575; pytorch #149261",
     "device mps; model model; torch 2.8.0; dtype float16; macOS 15.5; RAM 16 GiB; GPU limit "
     "0.98 GiB; needs from 512×512 to 2048×2048; trained for 1024×1024; denoiser unet; Apple "
     "M1"),
    ("nothing fits", "height", 512, "size-least",
     "Nothing fits: even the smallest known size is 1.4 GiB too large.",
     "",
     "model model; forecast of 2.3 GiB at 512×512, limit 0.98 GiB"),
    ("nothing fits", "largest_side", None, "largest-side",
     "Nothing is forecast to fit.",
     "",
     "model model; forecast of 2.3 GiB at 512×512, limit 0.98 GiB"),
    ("nothing fits, in pieces", "attention", "bounded", "attention-bounded",
     "The forecast of 2.4 GiB at 1024×1024 exceeds 0.98 GiB. The limit is what Metal "
     "recommends on this Mac. Before PyTorch 2.14.0 enable_attention_slicing gives NaN on mps:"
     " black pictures.",
     "pytorch #181575; pytorch #149261",
     "device mps; model model; torch 2.8.0; dtype float16; macOS 15.5; RAM 16 GiB; GPU limit "
     "0.98 GiB; needs from 1024×1024 to 1024×1024; trained for 1024×1024; denoiser unet; Apple"
     " M1"),
    ("nothing fits, in pieces", "attention_budget", 128, "attention-budget",
     "The piece size, in MiB, that needs the least memory. No piece size fits.",
     "",
     "forecast of 2.4 GiB at 1024×1024, limit 0.98 GiB"),
    ("a transformer", "dtype", "bfloat16", "dtype-model",
     "FLUX.1 fails in float16. The cause: its VAE and text encoders exceed the range of "
     "float16, which gives NaN: black pictures.",
     "https://github.com/huggingface/diffusers/issues/9096; "
     "https://github.com/huggingface/diffusers/pull/9097; "
     "invokeai/backend/model_manager/load/model_loaders/flux.py of InvokeAI",
     "device mps; model model; FluxPipeline; torch 2.14.1; macOS 15.5; Apple M1"),
    ("a transformer", "vae_dtype", None, "vae-dtype",
     "The format of the other weights.",
     "",
     "dtype bfloat16"),
    ("a transformer", "variant", None, "variant",
     "The weights as the model's authors published them.",
     "",
     "model model; dtype bfloat16"),
    ("a transformer", "attention", "native", "attention-native",
     "The forecast of 4.0 GiB at 1024×1024 fits in 8.8 GiB. The limit is what Metal recommends"
     " on this Mac. enable_attention_slicing does nothing on a transformer.",
     "pytorch #181575; pytorch #149261",
     "device mps; model model; torch 2.14.1; dtype bfloat16; macOS 15.5; RAM 16 GiB; GPU limit"
     " 8.8 GiB; needs from 1024×1024 to 1024×1024; trained for 1024×1024; denoiser transformer"),
    ("slicing works", "attention", "native", "attention-native",
     "The forecast of 4.0 GiB at 1024×1024 fits in 8.8 GiB. The limit is what Metal recommends"
     " on this Mac. enable_attention_slicing, which the guide asks for (diffusers docs: "
     "optimization/mps), is slower.",
     "pytorch #181575; pytorch #149261",
     "device mps; model model; torch 2.14.1; dtype float16; macOS 15.5; RAM 16 GiB; GPU limit "
     "8.8 GiB; needs from 1024×1024 to 1024×1024; trained for 1024×1024; denoiser unet; Apple "
     "M1"),
    ("needs unknown", "attention", "bounded", "attention-unknown",
     "This model's needs are not known. In pieces, attention cannot fill the memory. "
     "enable_attention_slicing, which the guide asks for (diffusers docs: optimization/mps), "
     "is slower.",
     "pytorch #181575; pytorch #149261",
     "device mps; model model; torch 2.14.1; dtype float16; macOS 15.5; RAM 16 GiB; GPU limit "
     "8.8 GiB; needs not known; size not known; denoiser not known; Apple M1"),
    ("needs unknown", "attention_budget", 512, "attention-unknown",
     "A piece size, in MiB, that most Macs have room for.",
     "pytorch #181575; pytorch #149261",
     "no forecast; device mps; torch 2.14.1; model model"),
    ("needs unknown", "vae_tiling", False, "vae-tiling",
     "Tiles save memory but can leave seams.",
     "diffusers docs: optimization/memory",
     "no forecast"),
    ("needs unknown", "width", None, "size",
     "The size that the model was trained for.",
     "",
     "model model; no forecast; no recommendation known"),
    ("needs unknown", "largest_side", None, "largest-side",
     "No limit is known.",
     "",
     "model model; no forecast"),
    ("torch 1.13", "attention", "sliced", "attention-guide",
     "This PyTorch has no scaled_dot_product_attention, so slicing is right.",
     "diffusers docs: optimization/mps",
     "device mps; model model; torch 1.13.1"),
    ("torch 1.13", "attention_budget", None, "attention-budget",
     "Attention is not bounded.",
     "",
     "no forecast; device mps; torch 1.13.1"),
    ("torch 1.13", "prime", True, "prime",
     "On torch 1.13 the first pass differs from those after it.",
     "diffusers docs: optimization/mps",
     "device mps; torch 1.13.1"),
    ("embedded", "model", "shapes", "model",
     "Ships with mpsdoctor. `check --model` names yours.",
     "",
     "model shapes"),
    ("embedded", "variant", None, "variant",
     "The embedded model has one set of weights.",
     "",
     "model shapes"),
    ("embedded", "attention", "native", "attention",
     "128×128 pixels leave nothing to bound.",
     "",
     "device mps; model shapes"),
    ("embedded", "width", 128, "size",
     "The size that the embedded model was trained for.",
     "",
     "model shapes"),
    ("embedded", "largest_side", None, "largest-side",
     "No limit is known.",
     "",
     "model shapes"),
    ("embedded", "num_inference_steps", 12, "steps",
     "The embedded model is judged with 12 steps.",
     "",
     "model shapes"),
    ("embedded", "guidance_scale", 4.0, "guidance",
     "The embedded model is judged with a guidance of 4.",
     "",
     "model shapes"),
    ("not a Mac", "device", "cpu", "device",
     "This is not a Mac: it has no mps device.",
     "",
     "no GPU that torch finds; not a Mac"),
    ("not a Mac", "dtype", "float32", "dtype",
     "A CPU computes float16 slowly and less exactly.",
     "",
     "device cpu"),
    ("not a Mac", "attention", "native", "attention",
     "Only mps keeps all attention scores in memory.",
     "",
     "device cpu"),
    ("not a Mac", "prime", False, "prime",
     "Only torch 1.13 needs a discarded first pass.",
     "diffusers docs: optimization/mps",
     "device cpu"),
    ("no GPU", "device", "cpu", "device",
     "torch cannot use this Mac's GPU. `mpsdoctor check` says why.",
     "",
     "no GPU that torch finds; a Mac"),
    ("no GPU", "environment.PYTORCH_ENABLE_MPS_FALLBACK", None, "fallback",
     "Only read if there is an mps device.",
     "pytorch docs: mps_environment_variables",
     "device cpu"),
    ("no GPU", "environment.PYTORCH_MPS_HIGH_WATERMARK_RATIO", None, "watermark",
     "Only read if there is an mps device.",
     "pytorch docs: mps_environment_variables; pytorch #105839",
     "RAM 16 GiB; GPU limit 8.8 GiB; device cpu"),
    ("no GPU", "environment.PYTORCH_MPS_PREFER_METAL", None, "fault",
     "No known fault of this machine requires it.",
     "",
     "device cpu"),
    ("a wrong canary", "device", "cpu", "canary sdpa",
     "The GPU gets attention wrong. Pictures are black or noise, or show something else.",
     "",
     "a GPU that torch finds; torch 1.13.1; macOS 12.6; Apple M1; failed canaries sdpa; model "
     "model; StableDiffusionXLPipeline"),
    ("a wrong picture", "device", "cpu", "picture",
     "The GPU renders the embedded model's picture wrong.",
     "",
     "a GPU that torch finds; torch 2.8.0; macOS 15.5; Apple M1; a wrong picture in float32; "
     "model model; StableDiffusionXLPipeline"),
    ("a format's fault", "dtype", "float32", "fault linear-random-on-m5",
     "Noise instead of a picture, different on each run.",
     "pytorch #180776; pytorch #181466; pytorch #181936; pytorch #182350",
     "device mps; model model; StableDiffusionXLPipeline; torch 2.12.1; macOS 15.5; Apple M5; "
     "failed canaries linear-twice-bf16"),
    ("no bfloat16", "dtype", "float32", "dtype-model",
     "FLUX.1 fails in float16. The cause: its VAE and text encoders exceed the range of "
     "float16, which gives NaN: black pictures. This macOS or this torch has no bfloat16 on "
     "mps.",
     "https://github.com/huggingface/diffusers/issues/9096; "
     "https://github.com/huggingface/diffusers/pull/9097; "
     "invokeai/backend/model_manager/load/model_loaders/flux.py of InvokeAI",
     "device mps; model FLUX.1-dev; pipeline not known; torch 2.0.0; macOS 15.5; Apple M1"),
    ("meant for bfloat16", "dtype", "bfloat16", "dtype-model",
     "Z-Image fails in float16. The cause: its activations exceed the range of float16, which "
     "gives NaN: black pictures.",
     "https://github.com/Tongyi-MAI/Z-Image/issues/14",
     "device mps; model model; ZImagePipeline; torch 2.14.1; macOS 15.5; Apple M1"),
    ("recommended", "width", 512, "recommended",
     "The size that the model was trained for.",
     "diffusers docs: api/pipelines/stable_diffusion/sdxl_turbo",
     "model sdxl-turbo; no forecast; recommended for SDXL-Turbo"),
    ("recommended", "num_inference_steps", 4, "recommended",
     "What is recommended for SDXL-Turbo.",
     "diffusers docs: api/pipelines/stable_diffusion/sdxl_turbo",
     "model sdxl-turbo; recommended for SDXL-Turbo"),
    ("recommended", "guidance_scale", 0.0, "recommended",
     "What is recommended for SDXL-Turbo.",
     "diffusers docs: api/pipelines/stable_diffusion/sdxl_turbo",
     "model sdxl-turbo; recommended for SDXL-Turbo"),
    ("recommended", "scheduler", None, "scheduler",
     "The one that comes with the model.",
     "",
     "recommended for SDXL-Turbo"),
    ("recommended", "timestep_spacing", "trailing", "recommended",
     "What is recommended for SDXL-Turbo.",
     "diffusers docs: api/pipelines/stable_diffusion/sdxl_turbo",
     "recommended for SDXL-Turbo"),
    ("a recommended sampler", "scheduler", "LCMScheduler", "recommended",
     "What is recommended for Mine.",
     "me",
     "recommended for Mine"),
    ("a recommended sampler", "timestep_spacing", "leading", "recommended",
     "What is recommended for Mine.",
     "me",
     "recommended for Mine"),
    ("a recommended sampler", "num_inference_steps", 3, "recommended",
     "What is recommended for Mine.",
     "me",
     "model model; recommended for Mine"),
    ("a recommended sampler", "guidance_scale", 8.0, "recommended",
     "What is recommended for Mine.",
     "me",
     "model model; recommended for Mine"),
    ("a recommended sampler", "height", 640, "recommended",
     "The size that the model was trained for.",
     "me",
     "model model; no forecast; recommended for Mine"),
    ("a raised limit", "environment.PYTORCH_MPS_HIGH_WATERMARK_RATIO", "0.88", "watermark",
     "Keeps torch within what Metal recommends. Its own limit is 1.7 times that, more than "
     "this Mac's memory; swapping turns seconds into minutes. Here Metal recommends nearly all"
     " of it, because the wired limit was raised.",
     "pytorch docs: mps_environment_variables; pytorch #105839",
     "RAM 16 GiB; GPU limit 15.2 GiB; device mps"),
    ("a raised limit", "environment.PYTORCH_MPS_LOW_WATERMARK_RATIO", "0.7", "watermark",
     "Must not exceed the high ratio. Otherwise, torch raises an error. Its default is 1.4.",
     "pytorch docs: mps_environment_variables; pytorch #96814",
     "RAM 16 GiB; GPU limit 15.2 GiB; device mps"),
    ("used in bfloat16", "dtype", "bfloat16", "dtype-model",
     "DreamLite is meant for bfloat16. The cause: its authors run it in bfloat16.",
     "diffusers docs: api/pipelines/dreamlite",
     "device mps; model model; DreamLitePipeline; torch 2.14.1; macOS 15.5; Apple M1"),
    ("made for float16", "dtype", "float16", "dtype",
     "Half the memory of float32.",
     "https://github.com/Stability-AI/sd3.5/blob/main/sd3_infer.py; "
     "diffusers docs: api/pipelines/stable_diffusion/stable_diffusion_3",
     "device mps; model model; StableDiffusion3Pipeline; torch 2.8.0; macOS 15.5; Apple M1"),
    ("memory unknown", "environment.PYTORCH_MPS_HIGH_WATERMARK_RATIO", "1.0", "watermark",
     "Keeps torch within what Metal recommends. Its own limit is 1.7 times that, more than "
     "this Mac's memory; swapping turns seconds into minutes.",
     "pytorch docs: mps_environment_variables; pytorch #105839",
     "RAM not known; device mps"),
    ("memory unknown", "environment.PYTORCH_MPS_LOW_WATERMARK_RATIO", "0.8", "watermark",
     "Must not exceed the high ratio. Otherwise, torch raises an error. Its default is 1.4.",
     "pytorch docs: mps_environment_variables; pytorch #96814",
     "RAM not known; device mps"),
    ("conv3d", "environment.PYTORCH_MPS_METAL_VERSION", "3.2", "fault conv3d-wrong-macos-26-2",
     "Avoids the fault conv3d-wrong-macos-26-2. VAEs with three-dimensional convolutions "
     "decode to noise on macOS 26.2.",
     "pytorch #197114",
     "device mps; torch 2.15.0; macOS 26.2; Apple M1; failed canaries conv3d"),
]
# fmt: on
"""Case, setting, value, rule, reason, sources and evidence."""


@pytest.mark.parametrize(
    ("case", "setting", "value", "rule", "reason", "sources", "evidence"), EXPECTED
)
def test_each_value_has_its_rule_reason_and_evidence(
    case: str, setting: str, value: Value, rule: str, reason: str, sources: str, evidence: str
) -> None:
    """The whole choice, by hand; what it rests on is what this machine is."""
    assert tune(*CASES[case])[setting] == Choice(
        value, reason, rule, tuple(filter(None, sources.split("; "))),
        tuple(filter(None, evidence.split("; "))),
    )  # fmt: skip


def test_width_and_height_are_chosen_alike() -> None:
    """Models are trained for squares."""
    for facts, needs in CASES.values():
        choices = tune(facts, needs)
        assert choices["width"] == choices["height"]


def test_every_rule_id_is_expected_somewhere() -> None:
    """A rule that no machine above reaches could say anything."""
    written = {
        rule
        for module in (rules, attention, environment, precision)
        for rule in _rule_ids(ast.parse(Path(module.__file__ or "").read_text("utf-8")))
    }
    expected = {rule for _, _, _, rule, *_ in EXPECTED}

    assert {"size-fits", "size-least", "picture", "canary ", "fault ", "watermark"} <= written
    assert not {rule for rule in written if not any(one.startswith(rule) for one in expected)}


def _rule_ids(tree: ast.Module) -> Iterator[str]:
    """Of each choice that is made: the whole id, or what comes before a name that is put in."""
    places = {"Choice": 2, "Precision": 2, "_variable": 3}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            place = places.get(node.func.id)
            match node.args[place] if place is not None and place < len(node.args) else None:
                case ast.Constant(value=str(rule)):
                    yield rule
                case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]):
                    yield start
                case _:
                    pass


@pytest.mark.parametrize(
    ("torch", "device", "value"),
    [("1.13.1", None, True), ("2.0.0", None, False), ("1.13.1", "cpu", False), (None, None, False)],
)
def test_only_torch_1_13_on_mps_is_primed(
    torch: str | None, device: str | None, value: bool
) -> None:
    """An unknown torch counts as a newer one."""
    answered = Torch(outcome=ProbeOutcome.ANSWERED, version=torch, mps_available=True)

    assert value is tune(replace(gpu(9000), torch=answered), UNET, device)["prime"].value


@pytest.mark.parametrize(
    ("device", "dtype", "attention"), [("cpu", "float32", "native"), ("mps", "float16", "bounded")]
)
@pytest.mark.parametrize("torch", [gpu(10100).torch, None], ids=["mps", "none"])
def test_the_users_own_device_decides_the_other_settings(
    torch: Torch | None, device: str, dtype: str, attention: str
) -> None:
    """The tuned device is still named, and what is tuned for the other one does not count."""
    choices = tune(replace(gpu(10100), torch=torch), UNET, device)

    assert ("cpu" if torch is None else "mps") == choices["device"].value
    assert (dtype, attention) == (choices["dtype"].value, choices["attention"].value)
