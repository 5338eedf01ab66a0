"""The number formats of models, as data."""

from typing import get_args

import pytest

from mpsdoctor.knowledge import dtypes
from mpsdoctor.knowledge.versions import parse
from mpsdoctor.profile.settings import Profile
from tests.support.diffusers_source import classes, signature

PIPELINES = {
    name: signature(source, "__init__")
    for name, source in classes("pipelines")
    if name.endswith("Pipeline") and "prompt" in signature(source, "__call__")
}
"""Every class of Diffusers' pipelines that draws from a prompt, and its components.

Read from the source, because some classes need extra packages.
"""
ALL = ("float16", "bfloat16", "float32")
BFLOAT16 = ("bfloat16", "float32")


def test_diffusers_pipelines_were_found() -> None:
    """Known classes of this release are among those found."""
    assert {"FluxPipeline", "KolorsPipeline", "ZImagePipeline"} <= PIPELINES.keys()


def test_a_class_with_a_unet_is_not_taken_for_a_transformer() -> None:
    """The last two rows tell classes with a UNet from those with a transformer."""
    unet, transformer = dtypes.load().model[-2:]
    families = {pipeline: dtypes.family("", pipeline) for pipeline in PIPELINES}
    assert None not in families.values()
    mistaken = [
        pipeline
        for pipeline, components in PIPELINES.items()
        if (families[pipeline] is transformer and "unet" in components)
        or (families[pipeline] is unet and "transformer" in components)
    ]
    assert mistaken == []


@pytest.mark.parametrize(
    ("model", "pipeline", "use"),
    [
        ("stabilityai/stable-diffusion-xl-base-1.0", "StableDiffusionXLPipeline", "float16"),
        ("stabilityai/stable-diffusion-3.5-large", "StableDiffusion3Pipeline", "float16"),
        ("PixArt-alpha/PixArt-Sigma-XL-2-1024-MS", "PixArtSigmaPipeline", "float16"),
        ("Tencent-Hunyuan/HunyuanDiT-v1.2-Diffusers", "HunyuanDiTPipeline", "float16"),
        ("fal/AuraFlow-v0.3", "AuraFlowPipeline", "float16"),
        ("HiDream-ai/HiDream-I1-Full", "HiDreamImagePipeline", "bfloat16"),
        ("hunyuanvideo-community/HunyuanImage-2.1-Diffusers", "HunyuanImagePipeline", "bfloat16"),
        ("Alpha-VLLM/Lumina-Image-2.0", "Lumina2Pipeline", "bfloat16"),
        ("kandinskylab/Kandinsky-5.0-T2I-Lite-sft-Diffusers", "Kandinsky5T2IPipeline", "bfloat16"),
        ("lodestones/Chroma1-HD", "ChromaPipeline", "bfloat16"),
        ("THUDM/CogView4-6B", "CogView4Pipeline", "bfloat16"),
        ("Shitao/OmniGen-v1-diffusers", "OmniGenPipeline", "bfloat16"),
        ("black-forest-labs/FLUX.2-klein-4B", "Flux2KleinPipeline", "bfloat16"),
        ("carlofkl/DreamLite-base", "DreamLitePipeline", "bfloat16"),
        ("nobody/knows", "ClassOfTomorrowPipeline", "bfloat16"),
    ],
)
def test_a_model_uses_the_same_format_before_and_after_its_download(
    model: str, pipeline: str, use: str
) -> None:
    """Before the download only the name is known; an unknown name counts as Stable Diffusion."""
    known = dtypes.to_render_in(dtypes.family(model, pipeline), bfloat16=True)
    named = dtypes.to_render_in(dtypes.family(model, None), bfloat16=True)

    assert use == known
    assert named == ("float16" if model == "nobody/knows" else use)


@pytest.mark.parametrize(
    ("pipeline", "model", "row", "uses", "works"),
    [
        ("FluxPipeline", "black-forest-labs/FLUX.1-dev", "FLUX.1", "bfloat16", BFLOAT16),
        ("FluxImg2ImgPipeline", "", "FLUX.1", "bfloat16", BFLOAT16),
        ("Flux2Pipeline", "black-forest-labs/FLUX.2-dev", "A transformer", "bfloat16", BFLOAT16),
        ("ZImagePipeline", "Tongyi-MAI/Z-Image-Turbo", "Z-Image", "bfloat16", BFLOAT16),
        ("QwenImagePipeline", "Qwen/Qwen-Image-2512", "Qwen-Image", "bfloat16", BFLOAT16),
        ("SanaSprintPipeline", "Efficient-Large-Model/Sana_Sprint", "Sana", "bfloat16", BFLOAT16),
        ("StableCascadePriorPipeline", "stabilityai/stable-cascade-prior", "Stable Cascade",
         "bfloat16", BFLOAT16),
        ("CogView3PlusPipeline", "THUDM/CogView3-Plus-3B", "CogView3-Plus", "bfloat16", BFLOAT16),
        ("KolorsPipeline", "Kwai-Kolors/Kolors-diffusers", "Kolors", "float32", BFLOAT16),
        ("IFPipeline", "DeepFloyd/IF-I-XL-v1.0", "DeepFloyd IF", "float32", BFLOAT16),
        ("CogView4Pipeline", "zai-org/CogView4-6B", "CogView4", "bfloat16", BFLOAT16),
        ("StableDiffusion3Pipeline", "stabilityai/stable-diffusion-3.5-medium",
         "Stable Diffusion 3", "float16", ALL),
        ("PixArtAlphaPipeline", "PixArt-alpha/PixArt-XL-2-512x512", "PixArt", "float16", ALL),
        ("HunyuanDiTPipeline", "Tencent-Hunyuan/HunyuanDiT-v1.1", "Hunyuan-DiT", "float16", ALL),
        ("AuraFlowPipeline", "fal/AuraFlow", "AuraFlow", "float16", ALL),
        ("DreamLitePipeline", "carlofkl/DreamLite-base", "DreamLite", "bfloat16", BFLOAT16),
        ("StableDiffusionXLPipeline", "", "A UNet", "float16", ALL),
        ("LuminaPipeline", "Alpha-VLLM/Lumina-Next", "A transformer", "bfloat16", BFLOAT16),
    ],
)  # fmt: skip
def test_a_family_renders_in_its_formats(
    pipeline: str, model: str, row: str, uses: str, works: tuple[str, ...]
) -> None:
    """Its class decides, otherwise its name; float16 needs somebody who uses it."""
    family = dtypes.family("stabilityai/stable-diffusion-3-medium", pipeline)
    assert family is not None
    assert family.name == row
    if model:
        assert dtypes.family(model, None) is family
    without = "float32" if uses == "bfloat16" else uses
    assert dtypes.to_render_in(family, bfloat16=False) == without
    assert dtypes.to_render_in(family, bfloat16=True) == uses
    assert tuple(one for one in ALL if dtypes.is_known_to_work(family, one)) == works


def test_an_unknown_model_is_taken_for_stable_diffusion() -> None:
    """It renders in float16, with or without bfloat16, and may work in every format."""
    assert dtypes.family("nobody/knows", None) is None
    assert {dtypes.to_render_in(None, bfloat16=has) for has in (True, False)} == {"float16"}
    assert all(dtypes.is_known_to_work(None, one) for one in ALL)


def test_formats_are_those_of_the_profile() -> None:
    """The formats in the table are valid in a profile."""
    known = set(get_args(Profile.model_fields["dtype"].annotation))
    for row in dtypes.load().model:
        assert {row.use, *row.fails} <= known


@pytest.mark.parametrize(
    ("torch", "macos", "has"),
    [
        ("2.3.0", "14.0", True),
        ("2.2.9", "15.0", False),
        ("2.15.0", "13.9", False),
        (None, "15.0", None),
        ("2.9.1", None, None),
    ],
)
def test_bfloat16_came_with_macos_14(
    torch: str | None, macos: str | None, has: bool | None
) -> None:
    """The answer is known only if both versions are."""
    assert dtypes.has_bfloat16(parse(torch), parse(macos)) is has
