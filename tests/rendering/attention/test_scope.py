"""Bounded attention in one pipeline, and nowhere else."""

import copy
import gc
import importlib.util
import sys
import threading
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
from torch import Tensor
from torch.nn import functional

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.rendering.attention import scope
from mpsdoctor.rendering.attention.scope import (
    Bound,
    _call_instead,
    bounded,
    disable_bounded_attention,
    enable_bounded_attention,
)
from tests.support.pipelines import stable_diffusion, stable_diffusion_3

BOUND = Bound(budget=2**18, device="cpu")


@pytest.fixture
def score_bytes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by the size of the float32 scores of each call that reaches PyTorch."""
    sizes: list[int] = []
    pytorchs = functional.scaled_dot_product_attention

    def attention(query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        sizes.append(4 * query.shape[:-1].numel() * key.shape[-2])
        return pytorchs(query, key, value, *args, **kwargs)

    monkeypatch.setattr(functional, "scaled_dot_product_attention", attention)
    return sizes


@pytest.fixture
def transformer_pipe(tmp_path: Path) -> Any:
    return quiet(stable_diffusion_3(tmp_path / "tokenizer"))


def quiet(pipe: Any) -> Any:
    pipe.set_progress_bar_config(disable=True)
    return pipe


def flux(pipe: Any) -> Any:
    """A FLUX model with the VAE of `pipe`; it takes embeddings for a prompt."""
    torch.manual_seed(0)
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8),
    )
    return quiet(
        FluxPipeline(
            scheduler=FlowMatchEulerDiscreteScheduler(),
            vae=pipe.vae,
            transformer=transformer,
            text_encoder=None,
            tokenizer=None,
            text_encoder_2=None,
            tokenizer_2=None,
        )
    )


def draw(pipe: Any, seed: int = 1) -> Any:
    """Pixels of a picture of two steps."""
    prompt: dict[str, Any] = {"prompt": "a red circle"}
    if isinstance(pipe, FluxPipeline):
        prompt = {
            "prompt_embeds": torch.ones(1, 7, 32),
            "pooled_prompt_embeds": torch.ones(1, 32),
            "height": 64,
            "width": 64,
        }
    generator = torch.Generator().manual_seed(seed)
    return pipe(**prompt, num_inference_steps=2, generator=generator, output_type="np").images


@pytest.mark.parametrize("family", ["unet", "transformer", "flux"])
def test_a_picture_is_the_same_with_every_attention_in_pieces(
    pipe: Any, transformer_pipe: Any, family: str, score_bytes: list[int]
) -> None:
    """Text encoders, denoiser and VAE obey the bound, whatever path Diffusers takes to PyTorch."""
    drawing = {"unet": pipe, "transformer": transformer_pipe, "flux": flux(pipe)}[family]
    expected = draw(drawing)
    unbounded = list(score_bytes)
    score_bytes.clear()

    enable_bounded_attention(drawing, BOUND)
    got = draw(drawing)

    torch.testing.assert_close(torch.tensor(got), torch.tensor(expected), rtol=0, atol=1e-5)
    assert max(score_bytes) <= BOUND.budget < max(unbounded)
    assert sum(score_bytes) == sum(unbounded)


def test_a_compiled_vae_obeys_the_bound(pipe: Any, score_bytes: list[int]) -> None:
    """Its decoder is called past the wrapper of torch.compile."""
    pipe.vae = torch.compile(pipe.vae, backend="eager")

    enable_bounded_attention(pipe, BOUND)
    draw(pipe)

    assert max(score_bytes) <= BOUND.budget


def test_a_causal_text_encoder_reads_the_same(pipe: Any, score_bytes: list[int]) -> None:
    """Transformers' attention is cut as Diffusers' is."""
    tokens = torch.arange(77)[None] % 40
    with torch.no_grad():
        expected = pipe.text_encoder(tokens)[0]
        enable_bounded_attention(pipe, Bound(budget=2**12, device="cpu"))
        got = pipe.text_encoder(tokens)[0]

    torch.testing.assert_close(got, expected)
    assert 4 * 4 * 77**2 == score_bytes[0]
    assert max(score_bytes[2:]) < 4 * 18 * 77


@pytest.mark.parametrize("enter", ["encode", "decode", "tiled decode"])
def test_the_vae_is_bounded_by_whichever_door_it_is_entered(
    pipe: Any, enter: str, score_bytes: list[int]
) -> None:
    """Pipelines call encode and decode, which are not the module's forward."""
    enable_bounded_attention(pipe, BOUND)

    with torch.no_grad():
        if enter == "encode":
            pipe.vae.encode(torch.zeros(1, 3, 64, 64))
        else:
            pipe.vae.use_tiling = enter.startswith("tiled")
            pipe.vae.decode(torch.zeros(1, 4, 48, 48))

    assert len(score_bytes) > 1
    assert max(score_bytes) <= BOUND.budget


def test_another_pipeline_and_a_copy_of_a_component_stay_as_they_were(
    pipe: Any, transformer_pipe: Any, score_bytes: list[int]
) -> None:
    """Only the components of the pipeline that was asked for are touched."""
    draw(transformer_pipe)
    expected = list(score_bytes)
    original = functional.scaled_dot_product_attention
    enable_bounded_attention(pipe, BOUND)
    score_bytes.clear()

    draw(transformer_pipe)
    assert expected == score_bytes

    score_bytes.clear()
    with torch.no_grad():
        copy.deepcopy(pipe.vae).decode(torch.zeros(1, 4, 32, 32))
    assert [4 * 1024**2] == score_bytes
    assert original is functional.scaled_dot_product_attention


def test_undoing_leaves_nothing_behind(pipe: Any, score_bytes: list[int]) -> None:
    """After undoing it, PyTorch gets every call unsplit; undoing it twice does no harm."""
    draw(pipe)
    expected = list(score_bytes)
    enable_bounded_attention(pipe, Bound(budget=1, device="cpu"))
    enable_bounded_attention(pipe, BOUND)
    disable_bounded_attention(pipe)
    disable_bounded_attention(pipe)
    score_bytes.clear()

    draw(pipe)

    assert expected == score_bytes
    assert all(module._compiled_call_impl is None for module in pipe.unet.modules())


def test_a_compiled_component_stays_compiled(pipe: Any, score_bytes: list[int]) -> None:
    """What `module.compile()` put in place of a module's call runs inside the bound."""
    calls: list[object] = []

    def compiled(*inputs: object, **options: object) -> object:
        calls.append(inputs)
        return pipe.vae.decoder.forward(*inputs, **options)

    pipe.vae.decoder._compiled_call_impl = compiled
    enable_bounded_attention(pipe, BOUND)
    draw(pipe)

    assert len(calls) == 1
    assert max(score_bytes) <= BOUND.budget
    disable_bounded_attention(pipe)
    assert compiled is pipe.vae.decoder._compiled_call_impl


def test_weights_are_freed_with_the_pipeline(tmp_path: Path) -> None:
    """Without waiting for the garbage collector: another model may need the room at once."""
    pipe = stable_diffusion(tmp_path / "tokenizer")
    enable_bounded_attention(pipe, BOUND)
    weights = weakref.ref(pipe.unet.conv_in.weight)
    gc.disable()
    try:
        del pipe
        assert weights() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_on_the_way_undoes_the_replacement(
    pipe: Any, score_bytes: list[int], error: type[BaseException]
) -> None:
    """Also ^C in a notebook."""
    original = functional.scaled_dot_product_attention
    seen: list[bool] = []

    def fail(*_: Any) -> None:
        seen.append(functional.scaled_dot_product_attention is original)
        raise error

    enable_bounded_attention(pipe, BOUND)
    pipe.unet.mid_block.register_forward_hook(fail)

    with pytest.raises(error):
        draw(pipe)

    assert [False] == seen
    assert original is functional.scaled_dot_product_attention


def test_a_pipeline_inside_another_has_its_own_bound(
    pipe: Any, transformer_pipe: Any, score_bytes: list[int]
) -> None:
    """The outer bound holds again when the inner pipeline is done."""
    smaller = Bound(budget=2**17, device="cpu")
    enable_bounded_attention(pipe, BOUND)
    enable_bounded_attention(transformer_pipe, smaller)
    inner: list[int] = []

    def render_another(*_: Any) -> None:
        before = len(score_bytes)
        draw(transformer_pipe)
        inner.extend(score_bytes[before:])
        del score_bytes[before:]

    pipe.unet.conv_in.register_forward_hook(render_another)
    draw(pipe)

    assert smaller.budget // 2 < max(inner) <= smaller.budget
    assert smaller.budget < max(score_bytes) <= BOUND.budget


def test_another_thread_is_not_affected(pipe: Any, score_bytes: list[int]) -> None:
    """While one thread is inside a bounded model, attention in another reaches PyTorch whole."""
    inside, done = threading.Event(), threading.Event()
    query = torch.randn(1, 4, 256, 8)

    def wait(*_: Any) -> None:
        inside.set()
        assert done.wait(60)

    pipe.unet.conv_in.register_forward_pre_hook(wait)
    enable_bounded_attention(pipe, BOUND)
    renderer = threading.Thread(target=draw, args=[pipe])
    renderer.start()
    assert inside.wait(60)
    score_bytes.clear()

    functional.scaled_dot_product_attention(query, query, query)
    whole = list(score_bytes)
    done.set()
    renderer.join()

    assert [4 * 4 * 256 * 256] == whole
    assert max(score_bytes[1:]) <= BOUND.budget


def test_other_devices_and_what_fits_are_left_alone(score_bytes: list[int]) -> None:
    """A bound for mps says nothing about the CPU, one for the CPU nothing about meta tensors."""
    large, small = torch.randn(1, 4, 256, 8), torch.randn(1, 4, 16, 8)

    with bounded(Bound(budget=2**17, device="mps")):
        functional.scaled_dot_product_attention(large, large, large)
    with bounded(BOUND):
        functional.scaled_dot_product_attention(small, key=small, value=small)
        meta = large.to("meta")
        functional.scaled_dot_product_attention(meta, meta, meta)

    assert [4 * 4 * 256**2, 4 * 4 * 16**2, 4 * 4 * 256**2] == score_bytes


@pytest.mark.parametrize("first", ["hook", "bound"])
def test_accelerates_hooks_come_and_go_beside_it(
    pipe: Any, first: str, score_bytes: list[int]
) -> None:
    """Offloading puts its own forward into a module; the bound holds with it and after it."""
    hooks: Any = pytest.importorskip("accelerate.hooks")
    if first == "bound":
        enable_bounded_attention(pipe, BOUND)
    hooks.add_hook_to_module(pipe.unet, hooks.ModelHook())
    if first == "hook":
        enable_bounded_attention(pipe, BOUND)

    draw(pipe)
    hooks.remove_hook_from_module(pipe.unet)
    draw(pipe)

    assert max(score_bytes) <= BOUND.budget


def test_torch_calls_what_stands_in_for_a_modules_own_call() -> None:
    """The bound rests on a private attribute of torch.nn.Module: a torch without it fails here."""
    module = torch.nn.Identity()
    assert hasattr(torch.nn.Module, "_compiled_call_impl"), torch.__version__
    _call_instead(module, lambda value: value + 1)
    assert 2 == module(1), f"torch {torch.__version__} does not call what is put there"
    _call_instead(module, None)
    assert 1 == module(1)


def test_a_torch_without_that_place_is_refused(pipe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attention that is silently not bounded would fill the memory; unbounded it still renders."""
    monkeypatch.delattr(torch.nn.Module, "_compiled_call_impl")
    with pytest.raises(MpsDoctorError, match="cannot be bounded") as refused:
        enable_bounded_attention(pipe, BOUND)
    assert 'attention = "native"' in refused.value.hint
    disable_bounded_attention(pipe)


@pytest.mark.parametrize(
    ("macos", "release", "is_flash"),
    [
        ("15.0", "2.13.0", True),
        ("26.4", "2.13.0", True),
        ("14.8", "2.13.0", False),
        ("15.0", "2.12.1", False),
        ("", "2.13.0", False),
        ("16.0", "2.14.0.dev20260101", True),
    ],
)
def test_a_mac_with_flash_kernels_has_nothing_to_bound(
    monkeypatch: pytest.MonkeyPatch, macos: str, release: str, is_flash: bool
) -> None:
    """The releases are read once, when the module is loaded, as Python and torch give them."""
    monkeypatch.setattr("platform.mac_ver", lambda: (macos, ("", "", ""), "arm64"))
    monkeypatch.setattr(torch, "__version__", release)
    spec = importlib.util.spec_from_file_location("scope_on_another_machine", scope.__file__)
    assert spec is not None
    assert spec.loader is not None
    there = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, there)
    spec.loader.exec_module(there)
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(
        functional, "scaled_dot_product_attention", lambda *_, **kwargs: calls.append(kwargs)
    )
    query = SimpleNamespace(
        device=torch.device("mps"), shape=(1, 8, 4096, 64), dtype=torch.float16, is_nested=True
    )

    with there.bounded(there.Bound(budget=1, device="mps")):
        functional.scaled_dot_product_attention(query, query, query)  # type: ignore[arg-type]
    with there.bounded(there.Bound(budget=1, device="cpu")):
        functional.scaled_dot_product_attention(query, query, query)  # type: ignore[arg-type]

    assert [is_flash, True] == [kwargs == {} for kwargs in calls]
