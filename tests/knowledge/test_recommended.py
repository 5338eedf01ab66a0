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


def name_of(model: str, configs: dict[str, dict[str, Any]] | None = None) -> str | None:
    found = recommended.find(model, configs or {})
    return found.name if found else None


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
    """Config files can have any content."""
    recommended.find(model, configs)
