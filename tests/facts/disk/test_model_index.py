"""model_index.json in its published forms, and its readers."""

import json
from pathlib import Path
from typing import Any

import diffusers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.facts.disk import model_files, model_index
from mpsdoctor.facts.records import ModelState
from mpsdoctor.hub.selection import select
from mpsdoctor.planning.configs import read_folder

UNET = {"unet": ["diffusers", "UNet2DConditionModel"]}
SCHEDULER = {"scheduler": ["diffusers", "DDIMScheduler"]}
PLAIN = {"_class_name": "DDIMPipeline", "_diffusers_version": "0.42.1", **SCHEDULER, **UNET}
MODULAR = {"subfolder": "unet", "pretrained_model_name_or_path": "someone/model"}

FORMS: dict[str, dict[str, Any]] = {
    "khuongsatou/ddpm-butterflies-128": PLAIN,
    # Diffusers pops it before it loads; two names look like a library and a class.
    "oss-roettger/T5-Textual-Inversion": {**PLAIN, "_ignore_files": ["pytorch_model.bin"]},
    "two ignored files": {**PLAIN, "_ignore_files": ["a.ckpt", "b.ckpt"]},
    "Joey-Jang/StableMaterials": {**PLAIN, "_class_name": ["pipeline", "StableMaterialsPipeline"]},
    "Abdualkader/Mutli-viewdiffusion": {
        **PLAIN,
        "_class_name": ["pipeline_mvdiffusion", "MVDiffusionPipeline"],
        "image_encoder": [None, None],
        "requires_safety_checker": False,
    },
    "Bria-AI/BRIA-3.2": {**PLAIN, "_name_or_path": "a/b", "unet": ["transformer_bria", "Bria"]},
    "Zumwaltboi68/Stable-Cascade": {
        **PLAIN,
        "unet": ["stable_cascade", "StableCascadeUnet"],
        "latent_dim_scale": 10.67,
    },
    "TiasheKnight/zero123": {**PLAIN, "ramping_coefficients": [0.0, 0.206]},
    "wmd-1/MiniMax-H3": {
        **PLAIN,
        "_blocks_class_name": "Blocks",
        "unet": ["diffusers", "UNet2DConditionModel", MODULAR],
        "guider": [None, None, {"repo": "someone/else"}],
    },
    "BiliSakura/Self-Flow-diffusers": {**PLAIN, "id2label": {"0": "tench"}},
    "a default that was not given": {**PLAIN, "_use_default_values": ["vae", "eta"]},
    "half an entry": {**PLAIN, "vae": ["diffusers", None], "safety_checker": ["", ""]},
}
"""The shape of each index, by where it is published; its components are always the same two."""


def write(folder: Path, index: dict[str, Any]) -> list[str]:
    """Writes the files of the two components and an unrelated one, and returns their names."""
    names = [
        "model_index.json",
        "scheduler/scheduler_config.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "a.ckpt",
    ]
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("{}")
    (folder / "model_index.json").write_text(json.dumps(index))
    return names


@pytest.mark.parametrize("index", FORMS.values(), ids=FORMS)
def test_everybody_sees_the_same_components(tmp_path: Path, index: dict[str, Any]) -> None:
    """All readers see the same components: facts, plan and download."""
    names = write(tmp_path, index)

    found = model_files.read(str(tmp_path), {}, tmp_path)
    assert (ModelState.COMPLETE, ()) == (found.state, found.missing)
    assert {"scheduler", "unet"} == set(read_folder("m", tmp_path).classes)
    chosen = select(names, index, variant=None, pickles=False)
    assert set(names) - {"a.ckpt"} == set(chosen.files)


@pytest.mark.parametrize("name", ["two ignored files", "khuongsatou/ddpm-butterflies-128"])
def test_diffusers_sees_them_too(name: str) -> None:
    """The components are those that `from_pretrained` loads."""
    loaded, _, _ = diffusers.DDIMPipeline.extract_init_dict(FORMS[name])
    wanted = {name: tuple(entry) for name, entry in loaded.items() if entry[0] is not None}
    assert wanted == model_index.components(FORMS[name])


def test_a_custom_pipeline_is_named_by_its_class() -> None:
    """A custom class is named, and its module counts as the model's own code."""
    index = FORMS["Joey-Jang/StableMaterials"]
    assert "StableMaterialsPipeline" == model_index.pipeline(index)
    assert ("pipeline",) == select(["pipeline.py"], index, variant=None, pickles=False).coded
    assert "DDIMPipeline" == model_index.pipeline(PLAIN)


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["_class_name", "_ignore_files", "unet", "id2label", ""]), values
    )
)
def test_any_index_is_read(index: dict[str, Any]) -> None:
    """Other programs use the same file name, with any content."""
    for name, component in model_index.components(index).items():
        assert not name.startswith("_")
        assert all(component)
    assert model_index.pipeline(index) != ""
    assert all(isinstance(name, str) for name in model_index.ignored_files(index))
