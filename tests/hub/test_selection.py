"""The files of a repository that a pipeline loads."""

from typing import Any

import pytest
from diffusers.pipelines.pipeline_loading_utils import variant_compatible_siblings
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.facts.disk.model_index import FILE as INDEX
from mpsdoctor.hub.selection import select

COMPONENTS = {"unet": ["diffusers", "UNet2DConditionModel"], "text": ["transformers", "T5"]}
STEMS = {"unet": "diffusion_pytorch_model", "text": "model"}
SHARDS = ("-00001-of-00002", "-00002-of-00002")


def spellings(stem: str, kind: str, variant: str | None) -> list[list[str]]:
    """The sets of files in which weights are published, Diffusers' old spelling included."""
    if variant is None:
        shards = [f"{stem}{shard}.{kind}" for shard in SHARDS]
        return [[f"{stem}.{kind}"], [*shards, f"{stem}.{kind}.index.json"]]
    new = [f"{stem}.{variant}{shard}.{kind}" for shard in SHARDS]
    old = [f"{stem}{shard}.{variant}.{kind}" for shard in SHARDS]
    return [
        [f"{stem}.{variant}.{kind}"],
        [*new, f"{stem}.{kind}.index.{variant}.json"],
        [*old, f"{stem}.{kind}.{variant}.index.json"],
    ]


@st.composite
def repositories(draw: st.DrawFn) -> list[str]:
    """File names of a model with weights of every kind, clutter, and safetensors throughout."""
    names = [INDEX, "README.md", "model-single-file.safetensors", "v1.ckpt", "scheduler/config.py"]
    for component, stem in STEMS.items():
        plain = draw(st.sampled_from(spellings(stem, "safetensors", None)))
        names += [f"{component}/{name}" for name in ("config.json", "flax_model.msgpack", *plain)]
        pickle = "pytorch_model" if stem == "model" else stem
        for other, kind in ((stem, "safetensors"), (pickle, "bin")):
            for variant in ("fp16", "bf16", "non_ema"):
                chosen = draw(st.sampled_from([[], *spellings(other, kind, variant)]))
                names += [f"{component}/{name}" for name in chosen]
        if draw(st.booleans()):
            names += [f"{component}/{pickle}.bin", f"{component}/model.onnx"]
    return draw(st.permutations(names))


@given(repositories(), st.sampled_from([None, "fp16", "bf16"]))
def test_weights_are_those_that_diffusers_chooses(names: list[str], variant: str | None) -> None:
    """Each component gets one set of weights, never a pickle, and never another variant."""
    ignored = ["*.bin", "*.msgpack", "*.onnx", "*.pb"]
    inside = [name for name in names if name.split("/")[0] in COMPONENTS]
    try:
        wanted, _ = variant_compatible_siblings(inside, variant, ignored)
    except ValueError:  # no component has the variant: it is a wish, not a condition
        wanted, _ = variant_compatible_siblings(inside, None, ignored)

    selection = select(names, COMPONENTS, variant=variant, pickles=False)

    configs = {f"{component}/config.json" for component in COMPONENTS}
    wanted = {name for name in wanted if ".bin." not in name}  # the index of pickles
    assert {INDEX, *configs, *wanted} == set(selection.files)
    assert ((), ()) == (selection.pickled, selection.coded)


@given(
    st.lists(st.text("abc./-_[]*", min_size=1), unique=True),
    st.dictionaries(
        st.text("abc./_"), st.none() | st.lists(st.none() | st.just("a")) | st.text("ab")
    ),
    st.none() | st.text("a.("),
    st.booleans(),
)
def test_nothing_is_chosen_that_the_repository_lacks(
    names: list[str], index: dict[str, Any], variant: str | None, pickles: bool
) -> None:
    """Names, index and variant can be anything."""
    selection = select(names, index, variant=variant, pickles=pickles)

    assert set(selection.files) <= set(names)


SMALL = ["scheduler/scheduler_config.json", "tokenizer/vocab.json", "tokenizer/added/tokens.json"]
PIPELINE: dict[str, Any] = {
    "_class_name": "StableDiffusionPipeline",
    "scheduler": ["diffusers", "DDIMScheduler"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "safety_checker": [None, None],
    "force_zeros": True,
}


def test_a_component_is_complete_and_what_is_none_is_left_out() -> None:
    """Folders without weights are complete; absent components and folders that are no components
    (SDXL's vae_1_0) are left out."""
    weights = "unet/diffusion_pytorch_model.safetensors"
    clutter = ["safety_checker/model.safetensors", "vae_1_0/diffusion_pytorch_model.safetensors"]
    wanted = [INDEX, *SMALL, weights, "unet/config.json"]

    selection = select([*wanted, *clutter], PIPELINE, variant=None, pickles=False)

    assert sorted(wanted) == list(selection.files)


@pytest.mark.parametrize(("pickles", "refused"), [(False, ("unet",)), (True, ())])
def test_pickles_come_only_where_they_are_allowed_and_there_is_nothing_else(
    pickles: bool, refused: tuple[str, ...]
) -> None:
    """The variant also counts for pickles, and refused components are named."""
    names = ["unet/diffusion_pytorch_model.bin", "unet/diffusion_pytorch_model.fp16.bin"]

    selection = select(names, PIPELINE, variant="fp16", pickles=pickles)

    assert ("unet/diffusion_pytorch_model.fp16.bin",) == selection.files
    assert refused == selection.pickled
    assert ("unet",) == selection.with_variant


def test_files_that_the_index_tells_to_ignore_stay_away() -> None:
    """`_ignore_files` is Diffusers' own key."""
    index = PIPELINE | {"_ignore_files": [SMALL[1]]}

    selection = select(SMALL, index, variant=None, pickles=False)

    assert (SMALL[0], SMALL[2]) == tuple(sorted(selection.files))


@pytest.mark.parametrize(
    ("index", "coded"),
    [
        ({"unet": ["my_unet", "MyUNet"]}, ("unet",)),
        ({"_class_name": ["my_pipeline", "MyPipeline"]}, ("pipeline",)),
    ],
)
def test_code_in_the_repository_is_named_and_never_chosen(
    index: dict[str, Any], coded: tuple[str, ...]
) -> None:
    """Diffusers would ask for trust_remote_code, which mpsdoctor never gives."""
    names = ["unet/my_unet.py", "unet/config.json", "my_pipeline.py"]

    selection = select(names, PIPELINE | index, variant=None, pickles=False)

    assert coded == selection.coded
    assert not any(name.endswith(".py") for name in selection.files)
