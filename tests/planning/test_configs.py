"""A model's config files, read from its folder."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.planning.configs import Configs, are_whole, read_file, read_folder

INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
}
COMPONENTS = {
    "scheduler": {"steps_offset": 1},
    "tokenizer": {"model_max_length": 77},
    "unet": {"sample_size": 64},
}
FILES = {
    "model_index.json": INDEX,
    "scheduler/scheduler_config.json": COMPONENTS["scheduler"],
    "tokenizer/tokenizer_config.json": COMPONENTS["tokenizer"],
    "unet/config.json": COMPONENTS["unet"],
    "unet/tokenizer_config.json": {"never": "read"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    return tmp_path / "model"


def test_a_folder_is_its_index_and_a_config_for_each_component(folder: Path) -> None:
    """The first config file counts; a component that the model does without needs none."""
    found = read_folder("me/model", folder)

    assert found == Configs(model="me/model", model_index=INDEX, components=COMPONENTS)
    assert "StableDiffusionPipeline" == found.pipeline
    assert list(found.classes) == ["scheduler", "tokenizer", "unet"]
    assert found.classes["unet"] == ("diffusers", "UNet2DConditionModel")
    assert "" == replace(found, model_index={}).pipeline
    assert are_whole(folder) is True


@pytest.mark.parametrize("name", ["model_index.json", "unet/config.json"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", " is not a JSON object."),
        ("{", ": Expecting property name"),
        (b"\xff", ": 'utf-8' codec"),
        ("[" * 100_000, ": maximum recursion"),
    ],
)
def test_a_config_that_cannot_be_read_is_an_error(
    folder: Path, name: str, content: str | bytes, said: str
) -> None:
    """It names the file, why, and what planning needs."""
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(MpsDoctorError) as refused:
        read_folder("me/model", folder)

    error = refused.value
    assert "The config files of me/model cannot be read" == error.title
    assert error.detail.startswith(f"{folder / name}{said}")
    assert error.hint == (
        "Planning needs `model_index.json` and the `config.json` of each component."
    )
    assert are_whole(folder) is False


@pytest.mark.parametrize("name", ["unet/config.json", "tokenizer/tokenizer_config.json"])
def test_a_component_without_a_config_is_empty(folder: Path, name: str) -> None:
    """Its architecture may need none, but the folder is not complete."""
    for path in (folder / name).parent.iterdir():
        path.unlink()

    assert {} == read_folder("me/model", folder).components[name.partition("/")[0]]
    assert are_whole(folder) is False


def test_a_missing_index_is_an_error(tmp_path: Path) -> None:
    """As is a file of architectures that is none."""
    with pytest.raises(MpsDoctorError) as refused:
        read_folder("me/model", tmp_path)
    assert f"{tmp_path / 'model_index.json'}: " in refused.value.detail
    for content in ("{}", "no JSON"):
        (tmp_path / "mine.json").write_text(content)
        with pytest.raises(MpsDoctorError, match="The config files of mine cannot be read"):
            read_file(tmp_path / "mine.json")
    with pytest.raises(MpsDoctorError, match="The config files of absent cannot be read"):
        read_file(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("model", "call"),
    [
        ("stabilityai/sdxl-turbo", {"guidance_scale": 0.0}),
        ("black-forest-labs/FLUX.2-klein-4B", {"guidance_scale": 1.0}),
        ("SimianLuo/LCM_Dreamshaper_v7", {}),  # its scale of 8 is above 1
        ("me/model", {}),
    ],
)
def test_a_model_is_traced_without_guidance_if_that_is_recommended(
    model: str, call: dict[str, float]
) -> None:
    """With guidance, the scale makes no difference to what is computed."""
    assert call == Configs(model=model, model_index=INDEX, components=COMPONENTS).call


def test_the_key_depends_on_all_that_a_trace_depends_on() -> None:
    """On index, components and call, but neither on names nor on the order of keys."""
    one = Configs(model="me/model", model_index=INDEX, components=COMPONENTS)

    def key(**changed: Any) -> str:
        return replace(one, **changed).key

    shuffled = dict(reversed(INDEX.items())), dict(reversed(COMPONENTS.items()))
    assert one.key == key(model="you/model", also=("x/*",))
    assert one.key == key(model_index=shuffled[0], components=shuffled[1])
    assert 32 == len(one.key)
    assert 4 == len(
        {
            one.key,
            key(model_index=INDEX | {"is_distilled": True}),
            key(components=COMPONENTS | {"unet": {"sample_size": 96}}),
            key(model="stabilityai/sdxl-turbo"),
        }
    )
