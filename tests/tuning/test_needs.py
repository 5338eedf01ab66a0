"""What a model's config files say of it."""

import json
from pathlib import Path

import pytest

from mpsdoctor.planning import catalogue
from mpsdoctor.planning.configs import Configs, read_folder
from mpsdoctor.resources import embedded_model
from mpsdoctor.tuning.needs import Denoiser, Needs, needs_of


def test_the_embedded_model_is_a_unet_for_128_pixels() -> None:
    """Its config files are read like any other model's."""
    configs = read_folder("shapes", embedded_model())

    assert Needs("shapes", Denoiser.UNET, 128, "StableDiffusionPipeline") == needs_of(
        "shapes", configs
    )


def test_a_transformer_is_known_by_its_index(tmp_path: Path) -> None:
    """FLUX and its like name a transformer component."""
    index = {"_class_name": "FluxPipeline", "transformer": ["diffusers", "FluxTransformer2DModel"]}
    (tmp_path / "model_index.json").write_text(json.dumps(index))

    assert Needs("m", Denoiser.TRANSFORMER, None, "FluxPipeline") == needs_of(
        "m", read_folder("m", tmp_path)
    )


@pytest.mark.parametrize("index", [{}, {"unet": 1}, {"_class_name": 3, "unet": ["diffusers", "U"]}])
def test_odd_configs_leave_the_rest_unknown(index: dict[str, object]) -> None:
    """No model, however broken, ends the check."""
    needs = needs_of("m", Configs(model="m", model_index=index, components={}))

    assert (None, None) == (needs.side, needs.pipeline)


def test_of_an_unknown_model_only_the_name_is_known() -> None:
    """Its settings are chosen with caution."""
    assert Needs("m") == needs_of("m", None)


@pytest.mark.parametrize("name", ["sdxl-turbo", "sdxl"])
def test_the_recommended_size_is_known_before_the_download_and_after(name: str) -> None:
    """Without config files the model's authors say it, if anybody does."""
    entry = catalogue.load()[name]
    before, after = needs_of(entry.model, None), needs_of(entry.model, entry)

    assert before.recommended == after.recommended
    assert (before.side, after.side) == ((512, 512) if name == "sdxl-turbo" else (None, 1024))
