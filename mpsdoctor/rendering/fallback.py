"""A NaN, infinite, black or flat picture is rendered again, each time with more float32.

Every fallback leaves the pipeline as it was. The VAE's weights change format only while it decodes.
Attention only computes in another format. Weights in another format are loaded again, because
casting float16 to bfloat16 and back would lose bits.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from diffusers import DiffusionPipeline

from mpsdoctor.knowledge.device import Device
from mpsdoctor.knowledge.rendering import instead_of
from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.attention.precision import attention_in_float32
from mpsdoctor.rendering.broken import BrokenPictureError, same_on_all_fallbacks
from mpsdoctor.rendering.generate import Picture, generate
from mpsdoctor.rendering.steps import OnStep
from mpsdoctor.rendering.vae import Decoding, decode_in, decoded_again

Dtype = Literal["float16", "bfloat16", "float32"]


@dataclass(frozen=True)
class Fallback:
    """`remedy` says what differs from the profile, "" for nothing."""

    number: int
    dtype: Dtype
    vae_in_float32: bool = False
    attention_in_float32: bool = False
    remedy: str = ""


@dataclass(frozen=True)
class Drawn:
    """A picture, and the fallback that made it."""

    picture: Picture
    fallback: Fallback


def fallbacks(profile: Profile, other: Dtype | None) -> tuple[Fallback, ...]:
    """Number 0 is the profile, 1 VAE in float32, 2 attention too, 3 weights in `other`.

    Fallbacks that would change nothing are left out.
    """
    dtype: Dtype = profile.dtype
    chain = [Fallback(0, dtype)]
    if (profile.vae_dtype or dtype) != "float32":
        chain.append(Fallback(1, dtype, vae_in_float32=True, remedy="VAE in float32"))
    if dtype != "float32":
        remedy = "VAE and attention in float32"
        chain.append(Fallback(2, dtype, True, True, remedy))
    if other is not None:
        rest = "" if other == "float32" else ", VAE and attention in float32"
        chain.append(Fallback(3, other, True, True, f"weights in {other}{rest}"))
    return tuple(chain)


class FallbackChain:
    """Renders with the profile's pipeline, and with fallbacks if a picture is broken.

    `load` loads a pipeline and applies the profile's settings. `gpu` is None if the CPU renders.
    """

    def __init__(
        self,
        profile: Profile,
        load: Callable[[Profile], DiffusionPipeline],
        gpu: Device | None = None,
    ) -> None:
        self._profile = profile
        self._load = load
        self._fallbacks = fallbacks(profile, instead_of(profile.dtype, gpu))
        self._dtype: Dtype = profile.dtype
        self._pipe: DiffusionPipeline | None = load(profile)

    def draw(
        self, request: Request, start: int, on_start: Callable[[int], None], on_step: OnStep
    ) -> Drawn:
        """Draws the picture, starting at the fallback `start`; `on_start` gets each number tried.

        Raises MpsDoctorError if no fallback helps, and any other error that prevents rendering.
        """
        first: BrokenPictureError | None = None
        tried: list[str] = []
        for fallback in _from(self._fallbacks, start):
            if first is not None and fallback.number == 1:
                continue  # fallback 0 has decoded again in float32
            on_start(fallback.number)
            try:
                return self._draw_on(fallback, request, on_step)
            except BrokenPictureError as broken:
                # Its traceback would keep a pipeline in memory that the next fallback replaces.
                first = first or broken.with_traceback(None)
            except (RuntimeError, MemoryError, OSError) as error:
                if first is None:
                    raise
                raise same_on_all_fallbacks(
                    first, tried, f"With {fallback.remedy}: {error}"
                ) from error
            tried.append(fallback.remedy or self._profile.dtype)
        assert first is not None
        raise same_on_all_fallbacks(first, tried, "") from first

    def _draw_on(self, fallback: Fallback, request: Request, on_step: OnStep) -> Drawn:
        pipe = self._pipeline(fallback.dtype)
        again = next((higher for higher in self._fallbacks if higher.number == 1), fallback)
        with ExitStack() as scope:
            if fallback.vae_in_float32:
                scope.enter_context(_vae_in_float32(pipe, self._profile))
            if fallback.attention_in_float32:
                scope.enter_context(attention_in_float32(pipe))
            decoding = Decoding()
            if fallback.number == 0 and again is not fallback:
                decoding = scope.enter_context(decoded_again(pipe))
            [picture] = generate(self._profile, pipe, [request], on_step)
        return Drawn(picture, again if decoding.again else fallback)

    def _pipeline(self, dtype: Dtype) -> DiffusionPipeline:
        """The pipeline with weights in `dtype`; only one at a time is in memory."""
        if self._pipe is None or dtype != self._dtype:
            self._pipe = None
            gc.collect()
            if self._profile.device == "mps":
                torch.mps.empty_cache()
            self._pipe = self._load(self._profile.model_copy(update={"dtype": dtype}))
            self._dtype = dtype
        return self._pipe


def _from(chain: Sequence[Fallback], start: int) -> Sequence[Fallback]:
    """At least one: a fallback that helped with another profile may not exist in this chain."""
    return [fallback for fallback in chain if fallback.number >= start] or chain[-1:]


@contextmanager
def _vae_in_float32(pipe: DiffusionPipeline, profile: Profile) -> Iterator[None]:
    decode_in(pipe, torch.float32)
    try:
        yield
    finally:
        decode_in(pipe, getattr(torch, profile.vae_dtype) if profile.vae_dtype else None)
