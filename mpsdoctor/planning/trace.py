"""Runs a real pipeline on weights and activations that take no memory, and counts them."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import torch
from diffusers import DiffusionPipeline
from msgspec.structs import replace
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._pytree import tree_leaves, tree_map

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.knowledge.attention.shape import AttentionShape
from mpsdoctor.planning import build
from mpsdoctor.planning.configs import Configs
from mpsdoctor.planning.footprint import AttentionCall, Footprint, Stage, StageName
from mpsdoctor.planning.storages import LiveStorages, OpaqueAttention

_DENOISERS = ("unet", "transformer")
_DECODERS = ("vae", "movq", "vqvae")
_STEPS = 2
"""Some pipelines treat a single step differently; only the first of two is recorded."""


class _DecodedError(Exception):
    """Ends the pipeline's run: the picture itself does not matter."""


def trace(configs: Configs, sizes: Iterable[tuple[int, int]], dtype: str) -> list[Footprint]:
    """What the model needs at each (width, height), in pixels, in `dtype` as torch names it.

    The pipeline's own code runs on zeros, with prompts of the full length. Each module that it
    calls answers with zeros of the right shape. One denoising step counts.

    Raises MpsDoctorError if it cannot be built, or does not draw pictures of that size.
    """
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    pipe = build.build(configs, getattr(torch, dtype), fake)
    pipe.set_progress_bar_config(disable=True)
    known: _Answers = {}
    return [
        Rehearsal(configs, pipe, fake, known).run(width, height, dtype) for width, height in sizes
    ]


_Entry: TypeAlias = Callable[..., Any]
_Args: TypeAlias = tuple[Any, ...]
_Kwargs: TypeAlias = dict[str, Any]
_Answers: TypeAlias = dict[str, tuple[Stage, Any]]
"""What a module did and answered, by its name and the outline of its arguments."""


class Rehearsal:
    """One run of the pipeline; each module that it calls is traced instead.

    `known` is shared by the runs of one pipeline.
    """

    def __init__(
        self, configs: Configs, pipe: DiffusionPipeline, fake: FakeTensorMode, known: "_Answers"
    ) -> None:
        self._known = known
        self._configs = configs
        self._pipe = pipe
        self._fake = fake
        self._modules = {
            name: part
            for name, part in pipe.components.items()
            if isinstance(part, torch.nn.Module)
        }
        self._stages: dict[StageName, Stage] = {}
        self._tiled: Stage | None = None
        self._batch = 1
        self._steps = 0

    def run(self, width: int, height: int, dtype: str) -> Footprint:
        """What was traced. Raises MpsDoctorError if the pipeline fails."""
        try:
            with self._answering(), torch.no_grad():
                self._pipe(**self._arguments(width, height))
        except _DecodedError:
            pass
        except Exception as error:
            # Any pipeline of Diffusers may come here, and each fails in its own way.
            what = f"{self._configs.pipeline}: {type(error).__name__}: {error}"
            raise _cannot_trace(self._configs, width, height, what) from error
        if not {"denoiser", "decoder"} <= self._stages.keys():
            what = f"{self._configs.pipeline} has no UNet or transformer, or no VAE."
            raise _cannot_trace(self._configs, width, height, what)
        self._add_idle_modules()
        return Footprint(
            model=self._configs.model,
            pipeline=self._configs.pipeline,
            width=width,
            height=height,
            dtype=dtype,
            batch=self._batch,
            stages=tuple(self._stages.values()),
            tiled=self._tiled,
        )

    def _arguments(self, width: int, height: int) -> dict[str, Any]:
        known = inspect.signature(type(self._pipe).__call__).parameters
        arguments = self._configs.call | {
            "prompt": "",
            "width": width,
            "height": height,
            "num_inference_steps": _STEPS,
            "output_type": "pt",
        }
        return {name: value for name, value in arguments.items() if name in known}

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        step = self._pipe.scheduler.step
        self._pipe.scheduler.step = self._counting(step)
        replaced = []
        for name, module in self._modules.items():
            entry = "decode" if name in _DECODERS else "forward"
            setattr(module, entry, self._tracer(name, getattr(module, entry)))
            replaced.append((module, entry, next(module.parameters()).dtype))
        try:
            yield
        finally:
            self._pipe.scheduler.step = step
            for module, entry, dtype in replaced:
                delattr(module, entry)
                if next(module.parameters()).dtype != dtype:
                    module.to(dtype)

    def _counting(self, step: _Entry) -> _Entry:
        @functools.wraps(step)
        def counted(*args: object, **kwargs: object) -> object:
            self._steps += 1
            return step(*args, **kwargs)

        return counted

    def _tracer(self, name: str, entry: _Entry) -> _Entry:
        def answer(*args: object, **kwargs: object) -> object:
            stage, result = self._remembered(name, entry, args, kwargs)
            known = self._stages.get(stage.name)
            if self._steps == 0 or stage.name != "denoiser":
                self._stages[stage.name] = _together(known, stage) if known else stage
            if stage.name == "denoiser":
                self._batch = _batch((args, kwargs))
            if stage.name == "decoder":
                self._tiled = self._with_tiles(stage, name, entry, args, kwargs)
                raise _DecodedError
            return tree_map(_to_zeros, result)

        return answer

    def _with_tiles(
        self, plain: Stage, name: str, entry: _Entry, args: _Args, kwargs: _Kwargs
    ) -> Stage | None:
        """The decoder's stage with VAE tiling, if that saves memory."""
        vae: Any = self._modules[name]
        if not hasattr(vae, "enable_tiling"):
            return None
        vae.enable_tiling()
        try:
            tiled, _ = self._remembered(name, entry, args, kwargs, "tiled")
        except NotImplementedError:
            return None
        finally:
            vae.disable_tiling()
        return tiled if tiled.peak_bytes < plain.peak_bytes else None

    def _remembered(
        self, name: str, entry: _Entry, args: _Args, kwargs: _Kwargs, how: str = ""
    ) -> tuple[Stage, Any]:
        key = repr((name, how, tree_map(_outline, (args, kwargs))))
        if key not in self._known:
            self._known[key] = self.trace(name, entry, args, kwargs)
        return self._known[key]

    def trace(self, name: str, entry: _Entry, args: _Args, kwargs: _Kwargs) -> tuple[Stage, Any]:
        """One call of the module `name`, and what it answered, on fake tensors."""
        module = self._modules[name]
        storages = LiveStorages(build.parameters(module))
        attention = OpaqueAttention(storages)
        args, kwargs = tree_map(self._to_fake, (args, kwargs))
        storages.hold((args, kwargs))
        with self._fake, storages, attention:
            result = entry(*args, **kwargs)
        stage = Stage(
            name=_stage_of(name),
            components=(name,),
            weights_bytes=build.weights_bytes(module),
            peak_bytes=storages.peak,
            largest_buffer_bytes=storages.largest,
            flops=storages.flops,
            attention=attention.calls,
        )
        return stage, result

    def _add_idle_modules(self) -> None:
        """Modules that are loaded but not called, such as a safety checker, join the decoder."""
        called = {name for stage in self._stages.values() for name in stage.components}
        for name in self._modules.keys() - called:
            decoder = self._stages["decoder"]
            size = build.weights_bytes(self._modules[name])
            self._stages["decoder"] = replace(
                decoder,
                components=(*decoder.components, name),
                weights_bytes=decoder.weights_bytes + size,
            )

    def _to_fake(self, value: object) -> object:
        return self._fake.from_tensor(value) if isinstance(value, torch.Tensor) else value


def _outline(value: object) -> object:
    """What a trace depends on; the values in tensors do not matter."""
    return (value.shape, value.dtype) if isinstance(value, torch.Tensor) else value


def _to_zeros(value: object) -> object:
    if isinstance(value, FakeTensor):
        return torch.zeros(value.shape, dtype=value.dtype)
    return value


def _stage_of(component: str) -> StageName:
    if component in _DECODERS:
        return "decoder"
    return "denoiser" if component.startswith(_DENOISERS) else "text"


def _batch(arguments: object) -> int:
    """Of the first argument that is a tensor, or the length of a list of tensors."""
    for value in tree_leaves(arguments, is_leaf=lambda node: isinstance(node, list)):
        if isinstance(value, list):
            return len(value)
        if isinstance(value, torch.Tensor) and value.ndim > 1:
            return value.shape[0]
    return 1


def _together(known: Stage, more: Stage) -> Stage:
    """Components that run one after the other."""
    again = set(more.components) <= set(known.components)
    return Stage(
        name=known.name,
        components=known.components if again else known.components + more.components,
        weights_bytes=known.weights_bytes + (0 if again else more.weights_bytes),
        peak_bytes=max(known.peak_bytes, more.peak_bytes),
        largest_buffer_bytes=max(known.largest_buffer_bytes, more.largest_buffer_bytes),
        flops=known.flops + more.flops,
        attention=_merged(known.attention + more.attention),
    )


def _merged(calls: Iterable[AttentionCall]) -> tuple[AttentionCall, ...]:
    found: dict[tuple[AttentionShape, str], AttentionCall] = {}
    for call in calls:
        known = found.get((call.shape, call.dtype))
        found[call.shape, call.dtype] = (
            call
            if known is None
            else AttentionCall(
                shape=call.shape,
                count=call.count + known.count,
                live_bytes=max(call.live_bytes, known.live_bytes),
                dtype=call.dtype,
            )
        )
    return tuple(found.values())


def _cannot_trace(configs: Configs, width: int, height: int, detail: str) -> MpsDoctorError:
    return MpsDoctorError(
        f"The memory needs of {configs.model} at {width}×{height} cannot be determined",
        detail=detail,
        hint="Its pipeline may need another size, or more than a prompt.",
    )
