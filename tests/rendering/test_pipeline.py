"""Loading a pipeline by the profile."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.profile.settings import Profile
from mpsdoctor.rendering.pipeline import apply, load_pipeline
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


def test_a_model_that_is_not_there_names_the_command_that_fetches_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Offline, an id that is not in the cache ends with the next step."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    with pytest.raises(MpsDoctorError) as refused:
        load_pipeline(Profile(model="nobody/no-such-model", device="cpu"))
    assert "mpsdoctor pull nobody/no-such-model" in refused.value.hint


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="this machine has an mps device")
def test_a_profile_for_mps_is_refused_where_there_is_none(model_folder: Path) -> None:
    """The error comes before any weight is read, and points to check."""
    with pytest.raises(MpsDoctorError, match="mps") as refused:
        load_pipeline(Profile(model=str(model_folder), device="mps"))
    assert "mpsdoctor check" in refused.value.hint


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
