"""What a model's config files say of it."""

import json
from pathlib import Path

import pytest

from mpsdoctor.resources import embedded_model
from mpsdoctor.tuning.needs import Denoiser, Needs, needs_of


def test_the_embedded_model_is_a_unet_for_128_pixels() -> None:
    """Its config files are read like any other model's."""
    assert Needs("shapes", Denoiser.UNET, 128, "StableDiffusionPipeline") == needs_of(
        "shapes", embedded_model()
    )


def test_a_transformer_is_known_by_its_index(tmp_path: Path) -> None:
    """FLUX and its like name a transformer component."""
    index = {"_class_name": "FluxPipeline", "transformer": ["diffusers", "FluxTransformer2DModel"]}
    (tmp_path / "model_index.json").write_text(json.dumps(index))

    assert Needs("m", Denoiser.TRANSFORMER, None, "FluxPipeline") == needs_of("m", tmp_path)


@pytest.mark.parametrize("text", [None, "", "[]", "{", '{"unet": 1}'])
def test_a_folder_without_usable_configs_leaves_the_rest_unknown(
    tmp_path: Path, text: str | None
) -> None:
    """No model folder, however broken, ends the check."""
    if text is not None:
        (tmp_path / "model_index.json").write_text(text)

    assert needs_of("m", tmp_path).side is None
    assert Needs("m") == needs_of("m", None)
