"""From facts and needs to settings."""

import pytest
from msgspec.structs import replace

from mpsdoctor.facts.records import (
    Canary,
    CanaryStatus,
    Facts,
    Hardware,
    ProbeOutcome,
    Python,
    System,
    Torch,
)
from mpsdoctor.profile.choice import settings_of
from mpsdoctor.tuning.needs import Denoiser, Needs, needs_of
from mpsdoctor.tuning.rules import tune

PYTHON = Python(version="3.12.8", machine="arm64", executable="/v/bin/python", prefix="/v")
SD15 = Needs("stable-diffusion-v1-5/stable-diffusion-v1-5", Denoiser.UNET, 512)
SDXL = Needs("stabilityai/stable-diffusion-xl-base-1.0", Denoiser.UNET, 1024)
FLUX = Needs("black-forest-labs/FLUX.1-schnell", Denoiser.TRANSFORMER)
SHAPES = Needs("shapes", Denoiser.UNET, 128)


def mac(torch: str | None = "2.14.1", ram_gib: int | None = 16, available: bool = True) -> Facts:
    return Facts(
        system=System(kernel="Darwin", macos_version="15.5"),
        hardware=Hardware(
            apple_silicon=True, ram_bytes=None if ram_gib is None else ram_gib * 1024**3
        ),
        python=PYTHON,
        torch=Torch(
            outcome=ProbeOutcome.ANSWERED,
            version=torch,
            mps_built=True,
            mps_available=available,
        ),
    )


def test_a_mac_with_mps_gets_the_guides_settings_and_bounded_attention() -> None:
    """What is not known of the model is met with caution, and both watermarks are set."""
    settings = settings_of(tune(mac("2.14.1", 16), SD15))

    assert {
        "model": SD15.model,
        "device": "mps",
        "dtype": "float16",
        "variant": "fp16",
        "use_safetensors": True,
        "vae_dtype": None,
        "attention": "bounded",
        "attention_budget": 512,
        "vae_tiling": False,
        "vae_slicing": False,
        "prime": False,
        "one_prompt_at_a_time": True,
        "width": None,
        "height": None,
        "largest_side": None,
        "num_inference_steps": None,
        "guidance_scale": None,
        "scheduler": None,
        "timestep_spacing": None,
        "environment": {
            "PYTORCH_ENABLE_MPS_FALLBACK": "1",
            "PYTORCH_MPS_HIGH_WATERMARK_RATIO": "1.0",
            "PYTORCH_MPS_LOW_WATERMARK_RATIO": "0.8",
        },
    } == settings


@pytest.mark.parametrize(
    ("facts", "needs", "dtype", "variant"),
    [
        (mac("2.14.1", 64), SDXL, "float16", "fp16"),
        (mac("2.14.1", 64), FLUX, "bfloat16", None),
        (mac("2.0.0", 64), FLUX, "float32", None),
        (mac("2.14.1", 64), Needs("Kwai-Kolors/Kolors-diffusers"), "float32", None),
        (mac("2.14.1", 64), Needs("my/copy", pipeline="ZImagePipeline"), "bfloat16", None),
        (mac(available=False), FLUX, "float32", None),
    ],
)
def test_a_model_that_float16_breaks_gets_the_format_that_it_needs(
    facts: Facts, needs: Needs, dtype: str, variant: str | None
) -> None:
    """bfloat16 where mps has it, else float32; the fp16 weights only for float16."""
    choices = tune(facts, needs)

    assert (dtype, variant) == (choices["dtype"].value, choices["variant"].value)


def test_where_mps_is_not_available_the_cpu_renders_in_float32() -> None:
    """The profile still works, and no variable for mps is set."""
    for facts in (mac(available=False), replace(mac(), torch=None)):
        settings = settings_of(tune(facts, SHAPES))
        assert tuple(settings[name] for name in ("device", "dtype", "environment")) == (
            "cpu",
            "float32",
            {},
        )


def test_the_first_wrong_canary_says_why_the_cpu_renders() -> None:
    """Where several are wrong, the device's reason is the one that the report names first."""
    wrong = tuple(
        Canary(name=name, status=CanaryStatus.WRONG) for name in ("linear-bias", "argmax")
    )
    choice = tune(replace(mac(), canaries=wrong), SD15)["device"]

    assert (choice.value, choice.rule, choice.reason) == (
        "cpu",
        "canary linear-bias",
        "The GPU gets linear layers with a bias wrong. Each step misjudges how much noise is left: "
        "pictures are noise or washed out.",
    )


@pytest.mark.parametrize(
    ("model", "steps", "guidance", "side"),
    [
        ("stabilityai/sdxl-turbo", 4, 0.0, 512),
        ("Tongyi-MAI/Z-Image-Turbo", 8, 0.0, None),
        ("black-forest-labs/FLUX.1-dev", None, 3.5, None),
        ("stabilityai/stable-diffusion-xl-base-1.0", None, None, None),
        ("shapes", 12, 4.0, 128),
    ],
)
def test_a_model_is_called_as_is_recommended(
    model: str, steps: int | None, guidance: float | None, side: int | None
) -> None:
    """With the source; what is not known is left to the pipeline. A Mac of any size is enough."""
    choices = tune(mac(), needs_of(model, None))

    assert (steps, guidance) == (
        choices["num_inference_steps"].value,
        choices["guidance_scale"].value,
    )
    assert (side, side) == (choices["width"].value, choices["height"].value)
    recommended = {choice.sources for choice in choices.values() if choice.rule == "recommended"}
    assert () not in recommended
