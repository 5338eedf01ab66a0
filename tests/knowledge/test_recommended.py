"""The recommendations of models' authors, as data."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.knowledge import recommended
from mpsdoctor.knowledge.recommended import Recommendation
from mpsdoctor.knowledge.sources import address
from mpsdoctor.planning import catalogue
from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.samplers import SAMPLERS

SETTINGS = ("num_inference_steps", "guidance_scale", "scheduler", "timestep_spacing")
SDXL_TURBO: dict[str, dict[str, Any]] = {
    "model_index": {"_class_name": "StableDiffusionXLPipeline"},
    "scheduler": {
        "_class_name": "EulerAncestralDiscreteScheduler",
        "timestep_spacing": "trailing",
    },
    "unet": {"sample_size": 64},
}


ROWS: dict[str, tuple[int | None, float | None, int | None, str | None, str | None]] = {
    "SDXL-Turbo": (4, 0.0, 512, None, "trailing"),
    "SD-Turbo": (4, 0.0, 512, None, "trailing"),
    "SDXL-Lightning": (4, 0.0, None, "EulerDiscreteScheduler", "trailing"),
    "LCM": (4, 8.0, None, "LCMScheduler", None),
    "LCM-LoRA": (4, 1.0, None, None, None),
    "TCD": (4, 0.0, None, None, None),
    "SSD-1B": (None, 9.0, None, None, None),
    "Playground v2.5": (50, 3.0, None, None, None),
    "Playground v2": (None, 3.0, None, None, None),
    "Stable Diffusion 1": (50, 7.5, None, None, None),
    "Stable Diffusion 2": (25, None, None, "DPMSolverMultistepScheduler", None),
    "Stable Diffusion 3 Medium": (28, 7.0, None, None, None),
    "Stable Diffusion 3.5 Large Turbo": (4, 0.0, None, None, None),
    "Stable Diffusion 3.5 Large": (28, 3.5, None, None, None),
    "Stable Diffusion 3.5 Medium": (40, 4.5, None, None, None),
    "FLUX.1 [schnell]": (4, 0.0, None, None, None),
    "FLUX.1 Krea [dev]": (None, 4.5, None, None, None),
    "FLUX.1 [dev]": (None, 3.5, None, None, None),
    "FLUX.2 [klein]": (4, 1.0, None, None, None),
    "FLUX.2 [klein] Base": (50, 4.0, None, None, None),
    "FLUX.2 [dev]": (28, 4.0, None, None, None),
    "Z-Image-Turbo": (8, 0.0, None, None, None),
    "Z-Image": (28, 4.0, None, None, None),
    "Qwen-Image-Lightning": (8, 1.0, None, None, None),
    "Qwen-Image": (50, 4.0, None, None, None),
    "Sana at 512 pixels": (20, 4.5, 512, None, None),
    "Sana at 2048 pixels": (20, 4.5, 2048, None, None),
    "Sana": (20, 4.5, None, None, None),
    "Sana-Sprint": (2, 4.5, None, None, None),
    "PixArt-LCM": (4, 0.0, None, None, None),
    "HiDream-I1-Dev": (28, 0.0, None, None, None),
    "HiDream-I1-Fast": (16, 0.0, None, None, None),
    "HiDream-I1-Full": (50, 5.0, None, None, None),
    "HunyuanImage-2.1-Distilled": (8, None, 2048, None, None),
    "HunyuanImage-2.1": (50, None, 2048, None, None),
    "Hunyuan-DiT, distilled": (25, None, None, None, None),
    "Lumina-Image 2.0": (50, 4.0, None, None, None),
    "Chroma1-HD": (40, 3.0, None, None, None),
    "CogView4": (50, 3.5, None, None, None),
    "Kolors": (50, 5.0, None, None, None),
    "Kandinsky 5 Image": (50, 3.5, None, None, None),
    "Kandinsky 2": (None, 4.0, 768, None, None),
    "Stable Cascade": (None, None, 1024, None, None),
    "OmniGen": (50, 2.5, None, None, None),
    "FIBO": (50, 5.0, None, None, None),
    "LongCat-Image": (50, 4.0, None, None, None),
    "Ovis-Image": (50, 5.0, None, None, None),
    "ERNIE-Image-Turbo": (8, 1.0, None, None, None),
    "Krea 2 Turbo": (8, 0.0, None, None, None),
    "PRX, distilled": (8, 1.0, 512, None, None),
    "PRX at 512 pixels": (28, 5.0, 512, None, None),
    "PRX at 256 pixels": (28, 5.0, 256, None, None),
    "PRXPixel": (28, 5.0, None, None, None),
    "GLM-Image": (30, 1.5, None, None, None),
    "DreamLite": (28, None, None, None, None),
}  # fmt: skip
"""Steps, guidance, side, scheduler and timestep spacing, as in the sources of each row."""


def name_of(model: str, configs: dict[str, dict[str, Any]] | None = None) -> str | None:
    found = recommended.find(model, configs or {})
    return found.name if found else None


def test_each_row_has_the_numbers_of_its_sources() -> None:
    """No number, scheduler or spacing changes by accident, and no row is lost."""
    assert {
        row.name: (
            row.num_inference_steps,
            row.guidance_scale,
            row.side,
            row.scheduler,
            row.timestep_spacing,
        )
        for row in recommended.load().model
    } == ROWS
    assert recommended.NO_GUIDANCE == 1.0


@pytest.mark.parametrize("row", recommended.load().model, ids=lambda row: row.name)
def test_a_row_says_something_that_a_profile_can_hold_and_where_it_is_from(
    row: Recommendation,
) -> None:
    """Its sources have addresses, and its scheduler is one that mpsdoctor supports."""
    values = {name: getattr(row, name) for name in SETTINGS}
    assert any(value is not None for value in (*values.values(), row.side))
    assert Profile(width=row.side, height=row.side, **values).guidance_scale == row.guidance_scale
    assert row.scheduler is None or row.scheduler in {one.scheduler for one in SAMPLERS.values()}
    assert row.sources
    assert all(address(source) for source in row.sources)


@pytest.mark.parametrize("row", recommended.load().model, ids=lambda row: row.name)
def test_a_row_is_found_by_each_of_its_ids_and_by_its_marks(row: Recommendation) -> None:
    """No earlier row matches its models."""
    for pattern in row.models:
        assert row.name == name_of(pattern.replace("*", "x"))
    configs: dict[str, dict[str, Any]] = {}
    for mark, value in row.marks.items():
        component, _, key = mark.partition(".")
        configs.setdefault(component, {})[key] = value
    assert name_of("/models/my own", configs) == (row.name if row.marks else None)


@pytest.mark.parametrize("name", catalogue.load())
def test_config_files_do_not_contradict_the_name_of_their_model(name: str) -> None:
    """In a folder of any name, a common model's files are recognized as it or as none."""
    entry = catalogue.load()[name]
    configs = {"model_index": entry.model_index, **entry.components}
    assert name_of("/models/my own", configs) in (name_of(entry.model), None)


def test_a_turbo_in_the_name_of_a_folder_proves_nothing() -> None:
    """Only config files identify a model in an unknown folder or id."""
    base = {"model_index": {"_class_name": "StableDiffusionXLPipeline"}}
    for model in ("/models/sdxl-turbo", "~/stabilityai/sdxl-turbo", "me/sdxl-turbo"):
        assert name_of(model) is None
        assert name_of(model, base) is None
        assert name_of(model, SDXL_TURBO) == "SDXL-Turbo"


@pytest.mark.parametrize(
    "written",
    [
        "Tongyi-MAI/Z-Image-Turbo",
        "/Users/me/.cache/huggingface/hub/models--Tongyi-MAI--Z-Image-Turbo/snapshots/f3/unet",
    ],
)
@pytest.mark.parametrize("component", ["model_index", "transformer"])
def test_a_saved_pipeline_is_known_by_the_model_that_it_was_loaded_from(
    component: str, written: str
) -> None:
    """Diffusers records the id, or the path in the cache."""
    configs = {component: {"_name_or_path": written}}
    assert name_of("/models/my own", configs) == "Z-Image-Turbo"


def test_a_denoiser_outweighs_the_pipeline_around_it_and_marks_outweigh_both() -> None:
    """A distilled UNet is often used in a pipeline of the base model."""
    pipeline = {"_name_or_path": "stable-diffusion-v1-5/stable-diffusion-v1-5"}
    unet = {"_name_or_path": "stabilityai/sd-turbo"}
    around: dict[str, dict[str, Any]] = {"model_index": pipeline, "unet": unet}
    assert name_of("/m", around) == "SD-Turbo"
    around["scheduler"] = {"_class_name": "LCMScheduler"}
    around["unet"] = unet | {"time_cond_proj_dim": 256}
    assert name_of("/m", around) == "LCM"
    assert name_of("stabilityai/sd-turbo", around) == "SD-Turbo"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=3
)
keys = st.sampled_from(["_class_name", "_name_or_path", "is_distilled", "sample_size"]) | st.text()
components = st.sampled_from(["model_index", "unet", "transformer", "scheduler"])


@given(model=st.text(), configs=st.dictionaries(components, st.dictionaries(keys, values)))
def test_any_config_files_give_an_answer(model: str, configs: dict[str, dict[str, Any]]) -> None:
    """Config files can have any content; a known id counts, whatever they say."""
    found = recommended.find(model, configs)
    assert found is None or found in recommended.load().model
    assert recommended.find("briaai/FIBO", configs) == recommended.find("briaai/FIBO", {})
