"""The needs that ship."""

import json
from importlib.metadata import version

import pytest

from mpsdoctor.planning import catalogue, needs
from mpsdoctor.planning.configs import ARCHITECTURES, Configs, read_file, read_folder
from mpsdoctor.planning.generate import DTYPES, LIBRARIES, SIDES
from mpsdoctor.planning.needs import NEEDS
from mpsdoctor.planning.trace import trace
from mpsdoctor.resources import embedded_model

NAMES = [path.stem for path in sorted(ARCHITECTURES.glob("*.json"))]


@pytest.mark.parametrize("name", NAMES)
def test_each_architecture_has_its_needs(name: str) -> None:
    """Made from the very configs that ship, at every size in every number format."""
    configs = read_file(ARCHITECTURES / f"{name}.json")
    found = needs.of_configs(configs.key)
    assert found is not None, f"run: python -m mpsdoctor.planning.generate {name}"
    asked = {(side, side, dtype) for side in SIDES for dtype in DTYPES}
    assert asked <= {(one.width, one.height, one.dtype) for one in found.footprints}


@pytest.mark.parametrize("name", NAMES)
def test_without_guidance_each_step_is_computed_once(name: str) -> None:
    """FLUX and Qwen-Image, which have no or two separate passes, too have one picture in each."""
    configs = read_file(ARCHITECTURES / f"{name}.json")
    found = needs.of_configs(configs.key)
    assert found is not None
    one_by_one = configs.pipeline.startswith(("Flux", "Qwen"))
    expected = 1 if configs.call or one_by_one else 2
    assert {expected} == {one.batch for one in found.footprints}


def test_a_folder_saved_from_a_distilled_model_is_planned_like_it() -> None:
    """Its config files say where they are from; the name of the folder does not matter."""
    turbo = catalogue.load()["z-image-turbo"]
    index = turbo.model_index | {"_name_or_path": turbo.model}
    saved = Configs(model="/models/mine", model_index=index, components=turbo.components)
    unknown = Configs(
        model="/models/mine", model_index=turbo.model_index, components=turbo.components
    )

    assert saved.call == turbo.call == {"guidance_scale": 0.0}
    assert unknown.call == {}
    assert unknown.key != turbo.key


def test_the_embedded_models_needs_are_what_its_files_give() -> None:
    """A fresh trace says the same, with the libraries that the needs were made with."""
    found = needs.of_model("shapes")
    assert found is not None
    configs = read_folder("shapes", embedded_model())
    assert configs.key == found.key
    if {name: version(name) for name in LIBRARIES} != found.made_with:
        pytest.skip("other versions of torch, Diffusers or Transformers")
    assert trace(configs, [(128, 128)], "float16") == [needs.exact(found, 128, 128, "float16")]


def test_a_model_is_known_by_its_id_and_by_those_that_share_its_architecture() -> None:
    """Fine-tunes are listed as patterns; what is not listed is not known."""
    known = catalogue.find("runwayml/stable-diffusion-v1-5")
    assert known is not None
    assert "StableDiffusionPipeline" == known.pipeline
    assert needs.of_model("runwayml/stable-diffusion-v1-5") == needs.of_configs(known.key)
    assert needs.of_model("nobody/nothing") is None


def test_needs_are_read_without_the_libraries_they_are_about() -> None:
    """Every file is one footprint a line, and names what it was made with."""
    for path in NEEDS.glob("*.json"):
        content = json.loads(path.read_text("utf-8"))
        assert set(LIBRARIES) == set(content["made_with"])
        assert len(content["footprints"]) == len(path.read_text("utf-8").splitlines()) - 2
