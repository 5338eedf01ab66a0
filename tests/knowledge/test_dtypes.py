"""The number formats of models, as data."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import diffusers
import pytest

from mpsdoctor.knowledge import dtypes
from mpsdoctor.knowledge.versions import parse
from mpsdoctor.profile.settings import Profile


def pipelines() -> Iterator[tuple[str, set[str]]]:
    """Every class of Diffusers' pipelines that draws from a prompt, and its components.

    Read from the source, because some classes need extra packages.
    """
    for path in (Path(diffusers.__file__).parent / "pipelines").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name.endswith("Pipeline"):
                methods = {
                    item.name: {argument.arg for argument in item.args.args}
                    for item in node.body
                    if isinstance(item, ast.FunctionDef)
                }
                if "prompt" in methods.get("__call__", set()) and "__init__" in methods:
                    yield node.name, methods["__init__"]


PIPELINES = dict(pipelines())


def test_diffusers_pipelines_were_found() -> None:
    """Known classes of this release are among those found."""
    assert {"FluxPipeline", "KolorsPipeline", "ZImagePipeline"} <= PIPELINES.keys()


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_a_class_with_a_unet_is_not_taken_for_a_transformer(pipeline: str) -> None:
    """The last two rows tell classes with a UNet from those with a transformer."""
    family, components = dtypes.family("", pipeline), PIPELINES[pipeline]
    unet, transformer = dtypes.load().model[-2:]

    assert family is not None
    assert family is not transformer or "unet" not in components
    assert family is not unet or "transformer" not in components


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


def test_formats_are_those_of_the_profile() -> None:
    """The formats in the table are valid in a profile."""
    known = set(get_args(Profile.model_fields["dtype"].annotation))
    for row in dtypes.load().model:
        assert {row.use, *row.fails} <= known


@pytest.mark.parametrize(
    ("torch", "macos", "has"),
    [
        ("2.3.0", "14.0", True),
        ("2.2.2", "15.0", False),
        ("2.15.0", "13.6", False),
        (None, "15.0", None),
        ("2.9.1", None, None),
    ],
)
def test_bfloat16_came_with_macos_14(
    torch: str | None, macos: str | None, has: bool | None
) -> None:
    """The answer is known only if both versions are."""
    assert dtypes.has_bfloat16(parse(torch), parse(macos)) is has
