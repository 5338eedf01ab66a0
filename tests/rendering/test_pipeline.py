"""Loading a pipeline by the profile."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline, StableDiffusionPipeline

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.profile.settings import Profile
from mpsdoctor.rendering.number_format import DTYPE_ARGUMENT
from mpsdoctor.rendering.pipeline import apply, load_pipeline
from mpsdoctor.resources import embedded_model
from tests.support.pipelines import stable_diffusion_3

pytestmark = pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning")
"""Of Diffusers' schedulers with NumPy 2."""


def attention_processors(pipe: Any) -> set[str]:
    return {type(processor).__name__ for processor in pipe.unet.attn_processors.values()}


@pytest.mark.parametrize("variant", [None, "fp16"])
def test_loads_in_the_profiles_number_format_also_where_the_variant_is_absent(
    model_folder: Path, variant: str | None
) -> None:
    """The profile's variant is a wish: a model without it loads all the same."""
    profile = Profile(model=str(model_folder), device="cpu", dtype="bfloat16", variant=variant)

    pipe = load_pipeline(profile)

    assert isinstance(pipe, StableDiffusionPipeline)
    assert (torch.bfloat16, torch.device("cpu")) == (pipe.dtype, pipe.device)


def test_the_variant_is_preferred_where_it_exists(
    model_folder: Path, tmp_path: Path, pipe: Any
) -> None:
    """With both sets of weights on disk, those of the variant are read."""
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    with torch.no_grad():
        pipe.unet.conv_in.bias.fill_(7)
    pipe.unet.save_pretrained(folder / "unet", variant="fp16")
    profile = Profile(model=str(folder), device="cpu", dtype="float32", variant="fp16")

    loaded = load_pipeline(profile)

    assert loaded.unet.conv_in.bias[0].item() == 7


def test_pickled_weights_are_refused(model_folder: Path, tmp_path: Path) -> None:
    """A model that has only pickles does not load, and the error names it."""
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    torch.save({}, weights.with_suffix(".bin"))
    weights.unlink()

    with pytest.raises(MpsDoctorError, match="cannot be loaded") as refused:
        load_pipeline(Profile(model=str(folder), device="cpu"))
    assert "safetensors" in refused.value.detail


class Diffusers:
    """Stands in for `DiffusionPipeline.from_pretrained`: raises `errors` in turn, then loads."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = [*errors]
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, source: str, **arguments: Any) -> Any:
        self.calls.append((source, arguments))
        if self.errors:
            raise self.errors.pop(0)
        return StableDiffusionPipeline


@pytest.fixture
def diffusers_loads(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Diffusers]:
    def put(*errors: Exception) -> Diffusers:
        stand_in = Diffusers(*errors)
        monkeypatch.setattr(DiffusionPipeline, "from_pretrained", stand_in)
        return stand_in

    return put


@pytest.mark.parametrize("kind", [OSError, ValueError, ImportError])
@pytest.mark.parametrize(
    ("model", "hint"),
    [
        (
            "me/no model",
            "If it is not on this machine yet, or incomplete, download it: mpsdoctor pull "
            "'me/no model'",
        ),
        ("shapes", "Check that the folder has `model_index.json` and a folder for each component."),
        (
            str(Path(__file__).parent),
            "Check that the folder has `model_index.json` and a folder for each component.",
        ),
    ],
)
def test_a_model_that_does_not_load_is_an_error_with_the_next_step(
    diffusers_loads: Callable[..., Diffusers], kind: type[Exception], model: str, hint: str
) -> None:
    """Its detail is Diffusers' own; of another class it is a fault of ours and passes."""
    diffusers_loads(kind("why not"))
    with pytest.raises(MpsDoctorError) as refused:
        load_pipeline(Profile(model=model, device="cpu"))
    assert (refused.value.title, refused.value.detail, refused.value.hint) == (
        f"The model {model} cannot be loaded",
        "why not",
        hint,
    )

    diffusers_loads(KeyError("ours"))
    with pytest.raises(KeyError):
        load_pipeline(Profile(model=model, device="cpu"))


def test_without_downloads_a_model_is_loaded_from_its_folder(
    diffusers_loads: Callable[..., Diffusers], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """That of the snapshot in the cache; with downloads, the id is Diffusers' own business."""
    cached: dict[str, Any] = {}
    monkeypatch.setattr(
        "mpsdoctor.rendering.pipeline.try_to_load_from_cache",
        lambda model, file: cached.get(f"{model}/{file}"),
    )
    cached["me/model/model_index.json"] = str(tmp_path / "snapshot" / "model_index.json")
    sources = []
    for model, local in (
        ("me/model", True),
        ("me/model", False),
        (str(tmp_path), True),
        ("shapes", True),
        ("shapes", False),
    ):
        loads = diffusers_loads(OSError("enough"))
        with pytest.raises(MpsDoctorError):
            load_pipeline(Profile(model=model, device="cpu"), local_files_only=local)
        sources.append(loads.calls[0][0])

    embedded = str(embedded_model())
    assert [
        str(tmp_path / "snapshot"), "me/model", str(tmp_path), embedded, embedded,
    ] == sources  # fmt: skip
    loads = diffusers_loads()
    for absent in (None, object()):  # as for a file that the repository is known not to have
        cached["me/other/model_index.json"] = absent
        with pytest.raises(MpsDoctorError) as refused:
            load_pipeline(Profile(model="me/other", device="cpu"), local_files_only=True)
        assert "It is not in Hugging Face's cache on this disk." == refused.value.detail
    assert not loads.calls


@pytest.mark.parametrize(
    ("settings", "errors", "variants"),
    [
        ({}, [], [None]),
        ({"variant": "fp16"}, [], ["fp16"]),
        ({"variant": "fp16"}, [ValueError("no such variant")], ["fp16", None]),
        ({"variant": "fp16"}, [OSError("no such variant")], ["fp16", None]),
        ({"variant": "fp16"}, [OSError("no disk")], ["fp16"]),
    ],
)
def test_what_diffusers_is_asked_for(
    diffusers_loads: Callable[..., Diffusers],
    settings: dict[str, Any],
    errors: list[Exception],
    variants: list[str | None],
) -> None:
    """The profile's format; never code; other weights only if the variant is what is missing."""
    for safetensors, asked in ((True, True), (False, None)):
        loads = diffusers_loads(*errors, OSError("enough"))
        profile = Profile(
            model="me/model",
            device="cpu",
            dtype="bfloat16",
            use_safetensors=safetensors,
            **settings,
        )
        with pytest.raises(MpsDoctorError):
            load_pipeline(profile)
        expected = {
            DTYPE_ARGUMENT: torch.bfloat16,
            "use_safetensors": asked,
            "trust_remote_code": False,
        }
        assert [
            ("me/model", expected | ({"variant": variant} if variant else {}))
            for variant in variants
        ] == loads.calls


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="this machine has an mps device")
def test_a_profile_for_mps_is_refused_where_there_is_none(model_folder: Path) -> None:
    """The error comes before any weight is read, and points to check."""
    with pytest.raises(MpsDoctorError) as refused:
        load_pipeline(Profile(model=str(model_folder), device="mps"))
    assert (refused.value.title, refused.value.detail, refused.value.hint) == (
        "torch cannot use the mps device here",
        f"torch {torch.__version__} says that mps is not available.",
        "Run `mpsdoctor check`: it says why, and writes a profile that fits.",
    )


def test_native_attention_undoes_slicing_and_sliced_turns_it_on(pipe: Any) -> None:
    """A pipeline that its owner sliced, as the guide says, gets the profile's attention."""
    apply(Profile(device="cpu", attention="sliced"), pipe)
    assert {"SlicedAttnProcessor"} == attention_processors(pipe)

    apply(Profile(device="cpu", attention="native"), pipe)
    assert {"AttnProcessor2_0"} == attention_processors(pipe)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_vae_follows_the_profile(pipe: Any, enabled: bool) -> None:
    """Tiling and slicing are set on the VAE, on or off."""
    pipe.vae.use_tiling = not enabled

    apply(Profile(device="cpu", vae_tiling=enabled, vae_slicing=enabled), pipe)

    assert (enabled, enabled) == (pipe.vae.use_tiling, pipe.vae.use_slicing)


def test_a_transformer_pipeline_takes_the_same_profile(tmp_path: Path) -> None:
    """Settings that a model has no use for are no error."""
    pipe = stable_diffusion_3(tmp_path / "tokenizer")

    assert pipe is apply(Profile(device="cpu", attention="sliced", vae_tiling=True), pipe)


def test_bounded_attention_is_the_profiles_and_can_be_taken_back(pipe: Any) -> None:
    """Applied again without it, the pipeline is as it was."""
    before = {name: module._compiled_call_impl for name, module in pipe.components.items()
              if isinstance(module, torch.nn.Module)}  # fmt: skip
    profile = Profile(device="cpu", dtype="float32", attention="bounded", attention_budget=1)

    apply(profile, pipe)
    changed = {name: pipe.components[name]._compiled_call_impl for name in before}
    apply(profile.model_copy(update={"attention": "native"}), pipe)

    assert all(changed[name] is not before[name] for name in before)
    assert before == {name: pipe.components[name]._compiled_call_impl for name in before}


def test_the_profiles_scheduler_is_on_the_pipeline_that_is_loaded(model_folder: Path) -> None:
    """A call of the pipeline in the user's own code samples like a prompt of the hot folder."""
    euler = "EulerDiscreteScheduler"
    profile = Profile(model=str(model_folder), device="cpu", dtype="float32", scheduler=euler)

    pipe = load_pipeline(profile)

    assert euler == type(pipe.scheduler).__name__
    assert "DDIMScheduler" == type(apply(Profile(device="cpu"), pipe).scheduler).__name__
