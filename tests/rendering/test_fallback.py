"""Broken pictures, computed again."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline
from torch.nn import functional

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.fallback import FallbackChain, fallbacks
from mpsdoctor.rendering.generate import generate
from mpsdoctor.rendering.pipeline import apply, load_pipeline

REQUEST = Request(prompt="a red circle", seed=1)
SHORT = (torch.float16, torch.bfloat16)


@pytest.fixture
def half() -> Profile:
    """Two steps in bfloat16, which a CPU computes like float16 on mps."""
    return Profile(device="cpu", dtype="bfloat16", num_inference_steps=2)


def loader(pipe: DiffusionPipeline) -> Callable[[Profile], DiffusionPipeline]:
    """Loads copies of `pipe` in the profile's format, as a model that lies on disk."""

    def load(profile: Profile) -> DiffusionPipeline:
        copy = deepcopy(pipe).to(getattr(torch, profile.dtype))
        copy.set_progress_bar_config(disable=True)
        return apply(profile, copy)

    return load


def draw(chain: FallbackChain, start: int = 0) -> tuple[Any, list[int]]:
    """What is drawn, and the fallbacks that were begun."""
    begun: list[int] = []
    return chain.draw(REQUEST, start, begun.append, lambda _step, _steps: None), begun


def decoder_overflows(pipe: Any, _monkeypatch: object = None) -> None:
    """As SDXL's first VAE does in float16."""
    pipe.vae.decoder.conv_in.register_forward_hook(
        lambda _layer, _inputs, out: out * torch.inf if out.dtype in SHORT else out
    )


def attention_overflows(_pipe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """ComfyUI #4799: black pictures from scores in float16."""
    real = functional.scaled_dot_product_attention

    def attention(query: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        result = real(query, *args, **kwargs)
        return result * torch.nan if query.dtype in SHORT else result

    monkeypatch.setattr(functional, "scaled_dot_product_attention", attention)


def denoiser_overflows(pipe: Any, _monkeypatch: object = None) -> None:
    """In a layer that no fallback but other weights changes."""
    pipe.unet.conv_out.register_forward_hook(
        lambda _layer, _inputs, out: out * torch.nan if out.dtype in SHORT else out
    )


def decodes_to_black(pipe: Any, _monkeypatch: object = None) -> None:
    """Finite, and no picture."""
    pipe.vae.decoder.conv_out.register_forward_hook(
        lambda _layer, _inputs, out: torch.full_like(out, -1) if out.dtype in SHORT else out
    )


@pytest.mark.parametrize(
    ("fault", "fallback", "begun"),
    [
        (decoder_overflows, 1, [0]),
        (decodes_to_black, 1, [0]),
        (attention_overflows, 2, [0, 2]),
        (denoiser_overflows, 3, [0, 2, 3]),
    ],
)
def test_a_broken_picture_is_cured_by_the_lowest_rung_that_helps(
    pipe: Any,
    half: Profile,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[Any, pytest.MonkeyPatch], None],
    fallback: int,
    begun: list[int],
) -> None:
    """From that fallback on at once it is the same picture; what only failed to decode is not
    denoised again; and afterwards the first fallback breaks as before, so nothing of the cure is
    left."""
    fault(pipe, monkeypatch)
    chain = FallbackChain(half, loader(pipe))

    drawn, tried = draw(chain)
    repeated, directly = draw(chain, start=fallback)
    _, again = draw(chain)

    assert (drawn.fallback.number, tried) == (fallback, begun)
    assert (repeated.fallback.number, directly) == (fallback, [fallback])
    assert drawn.fallback.remedy == repeated.fallback.remedy != ""
    assert drawn.picture.image.tobytes() == repeated.picture.image.tobytes()
    assert again == begun


def test_a_sound_picture_is_the_pipelines_own(pipe: Any, half: Profile) -> None:
    """The lowest fallback changes nothing."""
    [plain] = generate(half, loader(pipe)(half), [REQUEST])

    drawn, begun = draw(FallbackChain(half, loader(pipe)))

    assert (drawn.fallback.number, drawn.fallback.remedy, begun) == (0, "", [0])
    assert plain.image.tobytes() == drawn.picture.image.tobytes()


def test_sliced_attention_is_computed_in_float32_too(
    pipe: Any, half: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Diffusers' attention slicing computes scores by itself, in the format of its inputs."""
    scores: list[torch.dtype] = []
    real = torch.baddbmm

    def baddbmm(result: torch.Tensor, left: torch.Tensor, *args: Any, **kw: Any) -> torch.Tensor:
        scores.append(left.dtype)
        return real(result, left, *args, **kw)

    monkeypatch.setattr(torch, "baddbmm", baddbmm)
    chain = FallbackChain(half.model_copy(update={"attention": "sliced"}), loader(pipe))

    draw(chain, start=2)
    assert {torch.float32} == set(scores)
    scores.clear()
    draw(chain)
    assert {torch.bfloat16} == set(scores)


def test_bounded_attention_is_computed_in_float32_too(
    pipe: Any, half: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pieces are; afterwards PyTorch's function is back in its place."""
    seen: list[torch.dtype] = []
    real = functional.scaled_dot_product_attention

    def attention(query: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        seen.append(query.dtype)
        return real(query, *args, **kwargs)

    monkeypatch.setattr(functional, "scaled_dot_product_attention", attention)
    chain = FallbackChain(half.model_copy(update={"attention": "bounded"}), loader(pipe))

    draw(chain, start=2)

    assert {torch.float32} == set(seen)
    assert functional.scaled_dot_product_attention is attention


def test_what_no_rung_cures_is_told_with_what_was_tried(pipe: Any, half: Profile) -> None:
    """So that the user need not try it."""
    with torch.no_grad():
        pipe.vae.decoder.conv_out.weight.fill_(0)

    with pytest.raises(MpsDoctorError, match="one flat colour") as refused:
        draw(FallbackChain(half, loader(pipe)))

    assert "bfloat16, then VAE and attention in float32, then weights in float32" in (
        refused.value.detail
    )


def test_the_embedded_model_is_loaded_again_in_another_format_and_back() -> None:
    """From its files on the highest fallback, and again for a picture that starts on the lowest."""
    profile = Profile(device="cpu", dtype="bfloat16", num_inference_steps=1)
    loaded: list[str] = []

    def load(changed: Profile) -> DiffusionPipeline:
        loaded.append(changed.dtype)
        pipe = load_pipeline(changed, local_files_only=True)
        pipe.set_progress_bar_config(disable=True)
        denoiser_overflows(pipe)
        return pipe

    chain = FallbackChain(profile, load)
    drawn, _ = draw(chain)
    draw(chain, start=3)
    draw(chain)

    assert drawn.fallback.remedy == "weights in float32"
    assert loaded == ["bfloat16", "float32", "bfloat16", "float32"]


def test_a_profile_in_float32_has_one_rung() -> None:
    """There is nothing more exact to try."""
    assert [0] == [fallback.number for fallback in fallbacks(Profile(dtype="float32"), None)]
    vae = Profile(dtype="float16", vae_dtype="float32")
    assert [0, 2, 3] == [fallback.number for fallback in fallbacks(vae, "bfloat16")]
