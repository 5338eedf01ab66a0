"""Bounded attention inside one pipeline, and nowhere else.

While a component of the pipeline runs, `torch.nn.functional.scaled_dot_product_attention` is
replaced. Diffusers and Transformers look it up at each call. The replacement obeys the bound of the
calling thread.

A `TorchFunctionMode` would need no such global, but takes every operation through Python. On a CPU
that costs 2.9 µs for each of the 4343 operations in a step of SDXL's UNet.
"""

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any
from weakref import ref

import torch
from diffusers import DiffusionPipeline
from packaging.version import Version
from torch import Tensor, nn
from torch.nn import functional

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.knowledge.attention.kernels import keeps_no_scores
from mpsdoctor.rendering.attention.bounded import Attention, bounded_attention
from mpsdoctor.rendering.introspection.components import original

_INSTEAD = "_compiled_call_impl"
"""Where PyTorch has kept the result of `Module.compile` since 2.0. There is no public place for it.

The alternatives fail. Forward hooks are copied with a module and do not end on KeyboardInterrupt
(`always_call` only covers Exception). Accelerate replaces `forward`. Another class would change
what is saved.
"""

_TORCH = Version(Version(torch.__version__).base_version)
# Too low if Python was built with an old SDK: then attention is split although it keeps no scores.
_MACOS = Version(platform.mac_ver()[0] or "0")


@dataclass(frozen=True)
class Bound:
    """Scores in float32 take at most `budget` bytes at once, on devices of the type `device`."""

    budget: int
    device: str


def enable_bounded_attention(pipe: DiffusionPipeline, bound: Bound) -> None:
    """Bounds the components that `pipe` has now, wherever they run, but no copies of them.

    A component that another pipeline shares is bounded there too, just as VAE tiling is shared.
    `module.compile()` has to come first.

    Raises MpsDoctorError if this PyTorch offers no way to do it.
    """
    for module in _modules(pipe):
        _call_instead(module, _BoundedCall(ref(module), _own_call(module), bound))


def disable_bounded_attention(pipe: DiffusionPipeline) -> None:
    """Undoes `enable_bounded_attention`; does nothing if that was not called."""
    for module in _modules(pipe):
        if isinstance(getattr(module, _INSTEAD, None), _BoundedCall):
            _call_instead(module, _own_call(module))


@contextmanager
def bounded(bound: Bound) -> Iterator[None]:
    """Applies to this thread until the block ends."""
    token = _bound.set(bound)
    _replacement.enter()
    try:
        yield
    finally:
        _replacement.leave()
        _bound.reset(token)


_bound: ContextVar[Bound | None] = ContextVar("bound", default=None)


class _Replacement:
    """Replaces PyTorch's function as long as any thread is inside a bound."""

    def __init__(self) -> None:
        self.original: Attention = functional.scaled_dot_product_attention
        self._lock = Lock()
        self._inside = 0

    def enter(self) -> None:
        with self._lock:
            if self._inside == 0:
                self.original = functional.scaled_dot_product_attention
                functional.scaled_dot_product_attention = _attention
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                functional.scaled_dot_product_attention = self.original


_replacement = _Replacement()


def _attention(query: Tensor, *args: object, **kwargs: object) -> Tensor:
    bound, attention = _bound.get(), _replacement.original
    if bound is not None and query.device.type == bound.device and not _is_flash(query):
        attention = partial(bounded_attention, budget=bound.budget, attention=attention)
    return attention(query, *args, **kwargs)


def _is_flash(query: Tensor) -> bool:
    """Whether mps keeps no scores for this query, so that there is nothing to bound."""
    return query.device.type == "mps" and keeps_no_scores(
        _TORCH, _MACOS, query.shape[-2], query.shape[-1], str(query.dtype).removeprefix("torch.")
    )


@dataclass(frozen=True)
class _BoundedCall:
    """PyTorch calls this in place of a module's own call (`nn.Module._wrapped_call_impl`).

    PyTorch does not copy it with the module.
    """

    module: ref[nn.Module]  # a cycle would keep the weights in memory after `del pipe`
    compiled: Callable[..., Any] | None
    bound: Bound

    def __call__(self, *args: object, **kwargs: object) -> object:
        module = self.module()
        assert module is not None
        with bounded(self.bound):
            return (self.compiled or module._call_impl)(*args, **kwargs)


def _own_call(module: nn.Module) -> Callable[..., Any] | None:
    """The call that `module.compile()` has stored; None if the module is not compiled."""
    call = getattr(module, _INSTEAD, None)
    return call.compiled if isinstance(call, _BoundedCall) else call


def _call_instead(module: nn.Module, call: Callable[..., Any] | None) -> None:
    """Makes PyTorch call `call` in place of `module`'s own call; None undoes it."""
    if not hasattr(nn.Module, _INSTEAD):
        raise MpsDoctorError(
            f"Attention cannot be bounded with PyTorch {torch.__version__}",
            detail=f"torch.nn.Module no longer has {_INSTEAD}.",
            hint='Set attention = "native" in the profile, or install an earlier PyTorch.',
        )
    setattr(module, _INSTEAD, call)


def _modules(pipe: DiffusionPipeline) -> Iterator[nn.Module]:
    """Components and their children, because pipelines call `vae.decode`, not the VAE's forward.

    A compiled component is a wrapper; its children are those of the module inside.
    """
    for component in pipe.components.values():
        if isinstance(component, nn.Module):
            yield component
            yield from original(component).children()
