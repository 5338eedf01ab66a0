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
from mpsdoctor.rendering.fallback import Dtype, Fallback, FallbackChain, fallbacks
from mpsdoctor.rendering.generate import generate
from mpsdoctor.rendering.pipeline import apply, load_pipeline

pytestmark = pytest.mark.heavy

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
        pipe.vae.decoder.conv_out.bias.fill_(1)

    with pytest.raises(MpsDoctorError) as refused:
        draw(FallbackChain(half, loader(pipe)))

    assert (refused.value.title, refused.value.detail, refused.value.hint) == (
        "The picture is one flat colour",
        "Every pixel is (255, 255, 255). Tried without success: "
        "bfloat16, then VAE and attention in float32, then weights in float32.",
        "A device fault causes this. Try another seed or wording, then `mpsdoctor check`.",
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


VAE = "VAE in float32"
ATTENTION = "VAE and attention in float32"


@pytest.mark.parametrize(
    ("dtype", "vae_dtype", "other", "chain"),
    [
        ("float32", None, None, []),
        ("float32", "float16", None, [(1, "float32", True, False, VAE)]),
        (
            "float16",
            None,
            "bfloat16",
            [
                (1, "float16", True, False, VAE),
                (2, "float16", True, True, ATTENTION),
                (3, "bfloat16", True, True, f"weights in bfloat16, {ATTENTION}"),
            ],
        ),
        (
            "bfloat16",
            "float32",
            "float32",
            [
                (2, "bfloat16", True, True, ATTENTION),
                (3, "float32", True, True, "weights in float32"),
            ],
        ),
    ],
)
def test_each_fallback_changes_something(
    dtype: Dtype, vae_dtype: Dtype | None, other: Dtype | None, chain: list[tuple[Any, ...]]
) -> None:
    """The numbers mean the same in every chain, and in float32 there is nothing more exact."""
    profile = Profile(dtype=dtype, vae_dtype=vae_dtype)

    assert fallbacks(profile, other) == (Fallback(0, dtype), *(Fallback(*one) for one in chain))


@pytest.mark.parametrize(
    ("fault", "start", "begun"),
    [
        (decoder_overflows, 1, [1]),
        (attention_overflows, 1, [1, 2]),
        (denoiser_overflows, 1, [1, 2, 3]),
        (denoiser_overflows, 2, [2, 3]),
        (decoder_overflows, 9, [3]),
    ],
)
def test_after_a_remedy_that_has_helped_the_next_ones_are_tried(
    pipe: Any,
    half: Profile,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[Any, pytest.MonkeyPatch], None],
    start: int,
    begun: list[int],
) -> None:
    """Another picture can need more; a number that this chain lacks means its last fallback."""
    fault(pipe, monkeypatch)

    drawn, tried = draw(FallbackChain(half, loader(pipe)), start)

    assert (begun, begun[-1]) == (tried, drawn.fallback.number)


@pytest.mark.parametrize("kind", [RuntimeError, MemoryError, OSError, ValueError])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_an_error_on_a_fallback_does_not_hide_why_there_is_no_picture(
    pipe: Any, half: Profile, kind: type[Exception], dtype: str
) -> None:
    """On the first one it is what is wrong, and so is one that nobody foresaw."""
    denoiser_overflows(pipe)
    load = loader(pipe)

    def fails(changed: Profile) -> DiffusionPipeline:
        if changed.dtype == "float32":
            raise kind("no room")
        return load(changed)

    chain = FallbackChain(half, fails)
    if dtype == "float32" or kind is ValueError:
        with pytest.raises(kind, match="no room"):
            draw(chain, start=3)
        return
    with pytest.raises(MpsDoctorError) as refused:
        draw(chain)

    assert (refused.value.title, refused.value.detail, refused.value.hint) == (
        "The model computed NaN instead of a picture",
        "Numbers overflowed, and the image would be black. Tried without success: bfloat16, then "
        "VAE and attention in float32. With weights in float32: no room",
        'Set dtype = "float32" in the profile. `mpsdoctor check` looks for known faults.',
    )
    assert isinstance(refused.value.__cause__, kind)
