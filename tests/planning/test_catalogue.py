"""The catalogue's architectures, built on the meta device and held against published figures."""

import importlib
import inspect
from functools import cache
from typing import Any

import diffusers
import pytest
import torch
import transformers

from mpsdoctor.planning import catalogue

NAMES = tuple(catalogue.load())

# github.com/HDRJ-One/stable-diffusion-xl-base-1.0 and jack-op11/stable-diffusion-2-1, copies of the
# hub's repositories: the sizes in their LFS pointers.
FULL_PRECISION_FILES = {
    ("sd21", "text_encoder"): 1361597018,
    ("sd21", "unet"): 3463726498,
    ("sd21", "vae"): 334643276,
    ("sdxl", "unet"): 10270077736,
    ("sdxl", "text_encoder_2"): 2778702264,
}

# SceneWorks/SceneWorks:scripts/tier-integrity-measurement-receipts.mjs counts the values in the
# hub's safetensors headers; Unsloth Studio's model-catalog.ts has the hub's own totals.
VALUES = {
    ("flux1-dev", "transformer"): 11901408320,
    ("flux1-schnell", "transformer"): 11891178560,
    ("flux2-klein-9b", "text_encoder"): 8190735360,
    ("pixart-alpha", "vae"): 83653863,
    ("pixart-sigma", "vae"): 83653863,
    ("qwen-image", "text_encoder"): 8292166656,
    ("qwen-image", "transformer"): 20430401088,
    ("qwen-image", "vae"): 126892531,
    ("sana-1600m", "vae"): 312250275,
    ("sd35-large", "vae"): 83819683,
    ("sd35-medium", "vae"): 83819683,
    ("sdxl-turbo", "unet"): 2567463684,
    ("sdxl", "vae"): 83653863,
    ("z-image-turbo", "transformer"): 6154908736,
}

# 10⁹ parameters, as the models' names, their cards and the posts on their release round them.
ROUNDED = {
    ("flux2-klein-4b", "transformer"): "4",
    ("flux2-klein-9b", "transformer"): "9",
    ("pixart-alpha", "transformer"): "0.6",
    ("pixart-sigma", "transformer"): "0.6",
    ("sana-1600m", "transformer"): "1.6",
    ("sana-600m", "transformer"): "0.6",
    ("sd3-medium", "transformer"): "2",
}

WEIGHTS = {
    (name, component): size
    for name, entry in catalogue.load().items()
    for component, size in entry.weights.items()
}

HEADER = 2**20
"""More than a safetensors file has beside its values, in bytes."""


@pytest.mark.parametrize(("name", "component"), WEIGHTS)
def test_half_precision_weights_are_as_large_as_on_the_hub(name: str, component: str) -> None:
    """A component has as many values as its 16-bit weights on the hub."""
    beside = WEIGHTS[name, component] - 2 * _stored(name, component)
    assert 0 <= beside < HEADER


@pytest.mark.parametrize(("name", "component"), FULL_PRECISION_FILES)
def test_full_precision_weights_are_as_large_as_on_the_hub(name: str, component: str) -> None:
    """A component has as many values as its 32-bit weights on the hub."""
    beside = FULL_PRECISION_FILES[name, component] - 4 * _stored(name, component)
    assert 0 <= beside < HEADER


@pytest.mark.parametrize(("name", "component"), VALUES)
def test_the_number_of_parameters_is_the_published_one(name: str, component: str) -> None:
    """A component has exactly the parameters that were counted on the hub."""
    assert VALUES[name, component] == _parameters(name, component)


@pytest.mark.parametrize(("name", "component"), ROUNDED)
def test_the_number_of_parameters_rounds_to_the_published_one(name: str, component: str) -> None:
    """A denoiser is of the size that its authors name."""
    published = ROUNDED[name, component]
    digits = len(published.partition(".")[2])
    assert published == f"{_parameters(name, component) / 1e9:.{digits}f}"


def test_the_encoders_of_stable_diffusion_3_have_the_published_number_of_parameters() -> None:
    """CLIP-L, CLIP-bigG and T5-XXL together are what SD3.5's repository holds."""
    encoders = ("text_encoder", "text_encoder_2", "text_encoder_3")
    # SceneWorks, as for VALUES.
    assert 5580620800 == sum(_parameters("sd35-large", encoder) for encoder in encoders)


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_is_whole(name: str) -> None:
    """Each component has its class and its config, each class its pipeline's place for it."""
    entry = catalogue.load()[name]
    pipeline = getattr(diffusers, entry.pipeline)
    modules = {n for n, (_, kind) in entry.classes.items() if not _is_beside_the_model(kind)}
    assert set(entry.classes) <= set(inspect.signature(pipeline).parameters)
    assert modules <= set(entry.components) <= set(entry.classes)
    assert set(entry.weights) <= modules
    assert set(entry.call) <= set(inspect.signature(pipeline.__call__).parameters)
    assert entry.sources


@pytest.mark.parametrize("name", NAMES)
def test_diffusers_takes_every_key(name: str) -> None:
    """No setting of a Diffusers class is misspelt, or one that the class would ignore."""
    entry = catalogue.load()[name]
    for component, (library, kind) in entry.classes.items():
        if library == "diffusers":
            config = entry.components[component]
            known = inspect.signature(getattr(diffusers, kind)).parameters
            assert {"_class_name"} == set(config) - set(known)
            assert kind == config["_class_name"]


def test_an_id_is_found_by_itself_and_by_a_pattern() -> None:
    """Models of one architecture share an entry; what is not known has none."""
    assert all(entry is catalogue.find(entry.model) for entry in catalogue.load().values())
    assert catalogue.load()["sd15"] is catalogue.find("CompVis/stable-diffusion-v1-4")
    assert catalogue.find("stable-diffusion-v1-5/stable-diffusion-inpainting") is None


def _is_beside_the_model(kind: str) -> bool:
    return kind.endswith(("Tokenizer", "TokenizerFast", "ImageProcessor", "FeatureExtractor"))


def _parameters(name: str, component: str) -> int:
    return sum(parameter.numel() for parameter in _module(name, component).parameters())


def _stored(name: str, component: str) -> int:
    """The values that its weights file has: parameters, and the buffers that are saved."""
    module = _module(name, component)
    saved = module.state_dict(keep_vars=True)
    return sum(tensor.numel() for tensor in {id(t): t for t in saved.values()}.values())


@cache
def _module(name: str, component: str) -> Any:
    entry = catalogue.load()[name]
    library, kind = entry.classes[component]
    config = entry.components[component]
    with torch.device("meta"):
        return _build(_class(library, kind), config)


def _class(library: str, kind: str) -> Any:
    if library in ("diffusers", "transformers"):
        return getattr(diffusers if library == "diffusers" else transformers, kind)
    return getattr(importlib.import_module(f"diffusers.pipelines.{library}"), kind)


def _build(kind: Any, config: dict[str, Any]) -> Any:
    if issubclass(kind, diffusers.ModelMixin):
        return kind.from_config(config)
    return kind(kind.config_class.from_dict(config))
