"""How much of a model is on the disk: the embedded one, and others made of tiny files."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.facts.disk import hub_cache, model_files, weights
from mpsdoctor.facts.disk.weights import Weights
from mpsdoctor.facts.records import ModelFiles, ModelState

PIPELINE = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.42.1",
    "requires_safety_checker": False,
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "safety_checker": [None, None],
}
UNET = "unet/diffusion_pytorch_model"
FILES = (
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "tokenizer/vocab.json",
    "unet/config.json",
    f"{UNET}.safetensors",
)


def write(folder: Path, *names: str) -> Path:
    """Files with a little content."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    return folder


def write_model(folder: Path, *more: str, without: tuple[str, ...] = ()) -> Path:
    """A small pipeline, `without` some of its files and with `more`."""
    write(folder, "model_index.json", *(name for name in FILES if name not in without), *more)
    (folder / "model_index.json").write_text(json.dumps(PIPELINE))
    return folder


def write_index(folder: Path, name: str, *shards: str) -> None:
    """An index that names `shards`."""
    content = {"weight_map": {f"layer.{number}": shard for number, shard in enumerate(shards)}}
    write(folder, name)
    (folder / name).write_text(json.dumps(content))


def read(folder: Path) -> ModelFiles:
    """A local folder, with an empty cache beside it."""
    return model_files.read(str(folder), {"HF_HUB_CACHE": str(folder / "hub")}, folder)


def test_the_embedded_model_is_complete() -> None:
    """It ships with the package."""
    found = model_files.read("shapes", {}, Path("/nowhere"), "float16")
    expected = ModelFiles(
        model="shapes",
        state=ModelState.COMPLETE,
        pipeline="StableDiffusionPipeline",
        dtype="float16",
    )
    assert expected == found


def test_a_whole_folder_is_complete(tmp_path: Path) -> None:
    """Every component with weights has safetensors, the others have their files."""
    assert read(write_model(tmp_path)) == ModelFiles(
        model=str(tmp_path), state=ModelState.COMPLETE, pipeline="StableDiffusionPipeline"
    )


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("CLIPTokenizer", ()),
        ("CLIPTokenizerFast", ()),
        ("CLIPImageProcessor", ()),
        ("CLIPFeatureExtractor", ()),
        ("CLIPTokenizerModel", ("tokenizer/weights (*.safetensors)", "tokenizer/config.json")),
    ],
)
def test_some_components_have_no_weights(
    tmp_path: Path, kind: str, missing: tuple[str, ...]
) -> None:
    """Their class says so."""
    write_model(tmp_path)
    index = PIPELINE | {"tokenizer": ["transformers", kind]}
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    assert read(tmp_path).missing == missing


def test_a_long_list_of_missing_files_is_cut(tmp_path: Path) -> None:
    """Twenty are enough to see."""
    folder = write_model(tmp_path, without=(f"{UNET}.safetensors",))
    shards = [f"diffusion_pytorch_model-{number:05}-of-00099.safetensors" for number in range(99)]
    write_index(folder, f"{UNET}.safetensors.index.json", *shards)
    assert read(folder).missing == tuple(f"unet/{shard}" for shard in shards[:20])


@pytest.mark.parametrize(
    ("gone", "missing"),
    [
        (f"{UNET}.safetensors", "unet/weights (*.safetensors)"),
        ("unet/config.json", "unet/config.json"),
        ("scheduler/scheduler_config.json", "scheduler/scheduler_config.json"),
        ("tokenizer/vocab.json", "tokenizer/"),
    ],
)
def test_a_gap_is_named(tmp_path: Path, gone: str, missing: str) -> None:
    """The model is incomplete without any file that the pipeline loads."""
    found = read(write_model(tmp_path, without=(gone,)))
    assert found == ModelFiles(
        model=str(tmp_path),
        state=ModelState.PARTIAL,
        pipeline="StableDiffusionPipeline",
        missing=(missing,),
    )


@pytest.mark.parametrize("index", ["", "null", "[]", "{", "[" * 100_000])
def test_a_folder_without_a_readable_index_is_incomplete(tmp_path: Path, index: str) -> None:
    """Without a readable model_index.json, nothing else can be examined."""
    (tmp_path / "model_index.json").write_text(index)
    assert read(tmp_path) == ModelFiles(
        model=str(tmp_path), state=ModelState.PARTIAL, missing=("model_index.json",)
    )


def test_pickles_alone_are_named(tmp_path: Path) -> None:
    """A component with both formats counts as safe."""
    folder = write_model(
        tmp_path,
        f"{UNET}.bin",
        "text_encoder/pytorch_model.bin",
        without=(f"{UNET}.safetensors",),
    )
    assert read(folder) == ModelFiles(
        model=str(folder),
        state=ModelState.PICKLED,
        pipeline="StableDiffusionPipeline",
        pickled=("unet",),
    )


@pytest.mark.parametrize(
    "name",
    [f"{UNET}.fp16.safetensors", f"{UNET}.non_ema.safetensors", "unet/model.safetensors"],
)
def test_a_variant_counts_as_weights(tmp_path: Path, name: str) -> None:
    """The profile falls back from one variant to another."""
    found = read(write_model(tmp_path, name, without=(f"{UNET}.safetensors",)))
    assert found.state is ModelState.COMPLETE


@pytest.mark.parametrize("name", ["unet/optimizer.bin", "unet/training_args.bin", "unet/x.ckpt"])
def test_other_files_are_no_weights(tmp_path: Path, name: str) -> None:
    """Files left by training are not weights."""
    found = read(write_model(tmp_path, name, without=(f"{UNET}.safetensors",)))
    assert found.state is ModelState.PARTIAL


@pytest.mark.parametrize(
    ("index", "shard"),
    [
        ("{}.safetensors.index.json", "{}-0000{}-of-00002.safetensors"),
        ("{}.safetensors.index.fp16.json", "{}.fp16-0000{}-of-00002.safetensors"),
        ("{}.safetensors.fp16.index.json", "{}-0000{}-of-00002.fp16.safetensors"),
    ],
)
def test_every_shard_counts(tmp_path: Path, index: str, shard: str) -> None:
    """Sharded weights are complete with the last shard, in every naming scheme."""
    shards = [shard.format(Path(UNET).name, number) for number in (1, 2)]
    folder = write_model(tmp_path, f"unet/{shards[0]}", without=(f"{UNET}.safetensors",))
    write_index(folder, index.format(UNET), *shards)
    assert read(folder).missing == (f"unet/{shards[1]}",)
    write(folder, f"unet/{shards[1]}")
    assert read(folder).state is ModelState.COMPLETE


def test_shards_without_an_index_cannot_be_loaded(tmp_path: Path) -> None:
    """The index says which tensor is where."""
    names = [f"{UNET}-0000{number}-of-00002.safetensors" for number in (1, 2)]
    found = read(write_model(tmp_path, *names, without=(f"{UNET}.safetensors",)))
    assert found.missing == (f"{UNET}.safetensors.index.json",)


def test_an_index_that_cannot_be_read_is_a_gap(tmp_path: Path) -> None:
    """An unreadable index, as after an interrupted download, counts as missing."""
    folder = write_model(tmp_path, without=(f"{UNET}.safetensors",))
    for content in ("{", "[]", "{}", '{"weight_map": []}', '{"weight_map": null}'):
        (folder / f"{UNET}.safetensors.index.json").write_text(content)
        name = "unet/diffusion_pytorch_model.safetensors.index.json (unreadable)"
        assert read(folder).missing == (name,)


def test_the_most_complete_index_counts(tmp_path: Path) -> None:
    """Of several variants in pieces, and of pickles, the one with the fewest gaps is named."""
    folder = write_model(tmp_path, "unet/a.bin", without=(f"{UNET}.safetensors",))
    write_index(folder, f"{UNET}.safetensors.index.json", "b.x", "a.x", "a.bin")
    write_index(folder, f"{UNET}.safetensors.index.fp16.json", "c.x", "a.bin")
    write_index(folder, f"{UNET}.bin.index.json", "p.x")
    assert weights.read(folder / "unet") == Weights(None, ("c.x",))
    write_index(folder, f"{UNET}.bin.index.json", "a.bin")
    assert weights.read(folder / "unet") == Weights("bin")
    write_index(folder, f"{UNET}.safetensors.index.fp16.json", "a.bin")
    assert weights.read(folder / "unet") == Weights("safetensors")


def test_a_link_to_a_file_that_has_gone_is_a_gap(tmp_path: Path) -> None:
    """A broken link is a missing file, for weights and tokenizers."""
    folder = write_model(tmp_path, without=(f"{UNET}.safetensors", "tokenizer/vocab.json"))
    write(folder, "tokenizer/merges.txt")
    (folder / f"{UNET}.safetensors").symlink_to(folder / "gone")
    (folder / "tokenizer" / "vocab.json").symlink_to(folder / "gone")
    assert read(folder).missing == ("tokenizer/vocab.json", "unet/weights (*.safetensors)")


def test_a_cached_model_is_found_by_its_id(tmp_path: Path) -> None:
    """Absent, partial and complete are three different states."""
    environ = {"HF_HOME": str(tmp_path)}
    repository = hub_cache.repository(tmp_path / "hub", "org/name")

    def found() -> ModelFiles:
        return model_files.read("org/name", environ, tmp_path, "float32")

    def expected(state: ModelState, pipeline: str | None, *missing: str) -> ModelFiles:
        return ModelFiles(
            model="org/name", state=state, pipeline=pipeline, missing=missing, dtype="float32"
        )

    assert found() == expected(ModelState.ABSENT, None)
    (repository / "blobs").mkdir(parents=True)
    assert found() == expected(ModelState.PARTIAL, None, "model_index.json")
    snapshot = write_model(repository / "snapshots" / "c0ffee")
    write(repository, "refs/main")
    for commit in ("", "other"):
        (repository / "refs" / "main").write_text(commit)
        assert found() == expected(ModelState.PARTIAL, None, "model_index.json")
        assert model_files.folder("org/name", environ, tmp_path) is None
    (repository / "refs" / "main").write_text("c0ffee\n")
    assert found() == expected(ModelState.COMPLETE, "StableDiffusionPipeline")
    assert model_files.folder("org/name", environ, tmp_path) == snapshot


def test_a_home_folder_can_be_meant(tmp_path: Path) -> None:
    """`~` in a profile is the given home folder."""
    write_model(tmp_path / "model")
    assert model_files.read("~/model", {}, tmp_path).state is ModelState.COMPLETE


@given(
    st.dictionaries(
        st.sampled_from(["unet", "_class_name", "scheduler", "..", "a/b"]),
        st.none() | st.text(max_size=5) | st.lists(st.none() | st.text(max_size=5), max_size=3),
    )
)
def test_any_index_gives_an_answer(index: dict[str, object]) -> None:
    """Reading any published index does not fail."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "model_index.json").write_text(json.dumps(index))
        assert read(Path(folder)).state in ModelState


def test_a_folder_that_cannot_be_listed_is_empty(tmp_path: Path) -> None:
    """No folder, no files, no exception."""
    assert weights.real_files(tmp_path / "none") == []
    assert weights.read(tmp_path / "none") == Weights(None, ("weights (*.safetensors)",))
    write(tmp_path, "b", "a", "c/d")
    (tmp_path / "empty").touch()
    assert weights.real_files(tmp_path) == ["a", "b"]
