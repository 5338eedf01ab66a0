"""Tiny computations that mps has got wrong, each compared with the CPU.

A canary follows the reproducers of the public issues that it names, with the smallest shapes that
show the fault. This file is run by path, in a child process, by Python 3.8 or newer with torch 1.12
or newer. It imports only the standard library and torch. If a torch lacks something, only the
canary that needs it fails.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from typing import NamedTuple

import torch

_CANNOT = re.compile(
    r"not (currently )?(implemented|supported)|only supported on|has no attribute", re.IGNORECASE
)
_LONGEST_DETAIL = 200


class Side:
    """One of the two sides of a canary; both have the same random numbers.

    The device computes in the canary's precision. The reference is the CPU in float32, on numbers
    rounded to that precision, because an older torch cannot compute in float16 on the CPU.
    """

    def __init__(self, device: str, precision: str, is_reference: bool = False) -> None:
        self.device = torch.device(device)
        self.is_reference = is_reference
        self._stored: torch.dtype = getattr(torch, precision, torch.float32)
        self._computed = torch.float32 if is_reference else self._stored
        self._random = torch.Generator()
        self._random.manual_seed(0)

    def normal(self, *shape: int) -> torch.Tensor:
        """Normally distributed numbers, a new set at each call."""
        return self.put(torch.randn(*shape, generator=self._random))

    def put(self, values: torch.Tensor) -> torch.Tensor:
        """The numbers on this side's device, in its precision."""
        return values.to(self._stored).to(self.device, self._computed)


class Canary(NamedTuple):
    """A computation; `precision` is its dtype, or "exact" if nothing may be rounded."""

    name: str
    precision: str
    compute: Callable[[Side], list[torch.Tensor]]


def baddbmm_beta_zero(side: Side) -> list[torch.Tensor]:
    """With `beta=0` the input is ignored, NaN and all (pytorch #187521, #194442).

    Diffusers' attention slicing passes uninitialised memory there (diffusers #14438).
    """
    query, key = side.normal(2, 64, 40), side.normal(2, 77, 40)
    poisoned = side.put(torch.full((2, 64, 77), math.nan))
    return [torch.baddbmm(poisoned, query, key.transpose(-1, -2), beta=0, alpha=40**-0.5)]


def sdpa(side: Side) -> list[torch.Tensor]:
    """Attention as Diffusers calls it, on permuted views (pytorch #163597, #181133).

    The sizes are heads, head size, queries and keys. They come from Stable Diffusion 1 (40 has no
    fused kernel on mps), SDXL's self- and cross-attention, and the decoder's middle block.
    """
    outputs = []
    for heads, size, queries, keys in (
        (2, 40, 1024, 1024),
        (2, 64, 1024, 1024),
        (2, 64, 1024, 77),
        (1, 512, 256, 256),
    ):
        query = side.normal(1, queries, heads, size).transpose(1, 2)
        key = side.normal(1, keys, heads, size).transpose(1, 2)
        value = side.normal(1, keys, heads, size).transpose(1, 2)
        outputs.append(torch.nn.functional.scaled_dot_product_attention(query, key, value))
    return outputs


def sdpa_causal(side: Side) -> list[torch.Tensor]:
    """No position may see a later one; in float16 three of four could (pytorch #195910).

    77 is the length of a prompt in CLIP; 64 is the length in the issue.
    """
    outputs = []
    for length in (64, 77):
        query, key, value = (side.normal(1, 4, length, 64) for _ in range(3))
        attention = torch.nn.functional.scaled_dot_product_attention
        outputs.append(attention(query, key, value, is_causal=True))
    return outputs


def sdpa_scale_cache(side: Side) -> list[torch.Tensor]:
    """A second call with another `scale` repeated the first one's result (pytorch #184122)."""
    if torch.__version__.startswith("2.0."):
        raise NotImplementedError("scale= came with torch 2.1")
    query = side.normal(1, 2, 4, 8)
    attention = torch.nn.functional.scaled_dot_product_attention
    return [attention(query, query, query), attention(query, query, query, scale=2.0)]


def linear_bias(side: Side) -> list[torch.Tensor]:
    """The bias was dropped if the second-to-last dimension was 1 (pytorch #188438)."""
    rows, weight, bias = side.normal(80, 1, 2), side.normal(192, 2), side.normal(192)
    return [torch.nn.functional.linear(rows, weight, bias)]


def linear_twice_bf16(side: Side) -> list[torch.Tensor]:
    """Without a bias, each call gave different garbage (pytorch #180776)."""
    rows, weight = side.normal(2, 13, 1024), side.normal(1024, 1024)
    return [torch.nn.functional.linear(rows, weight).clone() for _ in range(2)]


def conv2d_sliced_weight(side: Side) -> list[torch.Tensor]:
    """A weight cut out of a larger one was read as if it were contiguous (pytorch #192212)."""
    weight = side.normal(3, 128, 3, 3, 3)
    return [torch.nn.functional.conv2d(side.normal(2, 128, 16, 64), weight[:, :, 1])]


def conv3d(side: Side) -> list[torch.Tensor]:
    """For contiguous volumes, the result had nothing to do with the input (pytorch #197114)."""
    volume, weight = side.normal(1, 16, 8, 8, 8), side.normal(16, 16, 3, 3, 3)
    return [torch.nn.functional.conv3d(volume, weight, side.normal(16), padding=1)]


def conv_chunk(side: Side) -> list[torch.Tensor]:
    """Of a batch of views, only the first element was right (pytorch #169342)."""
    convolve = torch.nn.functional.conv2d
    wide = convolve(side.normal(2, 3, 32, 32), side.normal(64, 3, 3, 3), padding=1)
    left, right = wide.chunk(2, dim=1)
    right = convolve(right, side.normal(32, 32, 3, 3) / 16, padding=1)
    return [torch.cat([left, right], dim=1)]


def copy_non_blocking(side: Side) -> list[torch.Tensor]:
    """A source that was freed at once was read too late (pytorch #139550, #189690)."""
    copies = []
    for index in range(48):
        source = torch.arange(index, index + (1, 10, 4096)[index % 3])
        copies.append(source.to(side.device, non_blocking=True, copy=True))
        del source  # so that the next source reuses its memory
    return [torch.cat(copies)]


def slice_assignment(side: Side) -> list[torch.Tensor]:
    """An assignment took the value of the next one (pytorch #122016), or a wrong step (#78886)."""
    single, stepped = torch.zeros(3, device=side.device), torch.zeros(10, device=side.device)
    single[1] = 1
    single[2] = 3
    stepped[::2] = 1
    return [single, stepped]


def cpu_scalar_offset(side: Side) -> list[torch.Tensor]:
    """The first number of a table on the CPU was always read (pytorch #187117, #193057)."""
    table, ones = torch.arange(5.0), torch.ones(3, device=side.device)
    return [ones + table[4], table[3] * ones]


def argmax(side: Side) -> list[torch.Tensor]:
    """CLIP uses it on integers to find the end of a prompt (pytorch #187280, #109067)."""
    tokens = torch.arange(2 * 77).reshape(2, 77) % 71
    tokens[0, 9] = tokens[1, 40] = 49407
    tokens = tokens.to(side.device)
    scores = (tokens / 49407).to(torch.float32 if side.is_reference else torch.float16)
    is_end = (tokens == 49407).to(torch.int32)
    rows = (tokens.to(torch.int32), is_end, scores)
    return [row.argmax(dim=-1) for row in rows]


def cumsum(side: Side) -> list[torch.Tensor]:
    """Sums of bools wrapped at 127 (pytorch #96614), other integers were not summed (#90635)."""
    ones = torch.ones(2, 200, dtype=torch.bool, device=side.device)
    return [ones.cumsum(dim=-1), ones.to(torch.int64).cumsum(dim=-1)]


def layer_norm_float16(side: Side) -> list[torch.Tensor]:
    """The wrong rows of a slice were normalized (pytorch #131750); float16 crashed (#96113)."""
    text, weight, bias = side.normal(3, 77, 768), side.normal(768), side.normal(768)
    normalise = torch.nn.functional.layer_norm
    return [normalise(rows, (768,), weight, bias) for rows in (text, text[1:])]


def int64(side: Side) -> list[torch.Tensor]:
    """Sums lost their upper half (pytorch #78848), and elements lost their place (#100370).

    The first element counted as the largest (pytorch #90273), argmax was INT64_MIN (#98191), and
    casts gave zeros (#79286).
    """
    numbers = torch.arange(6).to(side.device)
    single = torch.stack([numbers[1] + 1, numbers[2] + 1, numbers.max(), numbers.argmax()])
    return [numbers + (1 << 32), single, numbers.to(torch.float32)]


def float64_refusal(side: Side) -> list[torch.Tensor]:
    """mps lacks float64 and must refuse it, not compute in less precision (pytorch #122602).

    A copy into a float64 tensor on the CPU wrote nothing (pytorch #197715).
    """
    numbers, copied = torch.arange(1.0, 5.0), torch.zeros(4, dtype=torch.float64)
    try:
        copied.copy_(numbers.to(side.device))
    except TypeError:
        copied.copy_(numbers)
    return [_is_honest_about_float64(side), copied]


def _is_honest_about_float64(side: Side) -> torch.Tensor:
    try:
        third = torch.full((4,), 1 / 3, dtype=torch.float64).to(side.device)
    except TypeError:
        return torch.tensor(True)
    square = third * third
    honest = square.dtype == torch.float64 and bool((square - (1 / 3) ** 2).abs().max() < 1e-12)
    return torch.tensor(honest)


CANARIES: tuple[Canary, ...] = (
    Canary("baddbmm-beta-zero", "float16", baddbmm_beta_zero),
    Canary("sdpa", "float16", sdpa),
    Canary("sdpa-causal", "float16", sdpa_causal),
    Canary("sdpa-scale-cache", "float32", sdpa_scale_cache),
    Canary("linear-bias", "float32", linear_bias),
    Canary("linear-twice-bf16", "bfloat16", linear_twice_bf16),
    Canary("conv2d-sliced-weight", "float32", conv2d_sliced_weight),
    Canary("conv3d", "float32", conv3d),
    Canary("conv-chunk", "float32", conv_chunk),
    Canary("copy-non-blocking", "exact", copy_non_blocking),
    Canary("slice-assignment", "exact", slice_assignment),
    Canary("cpu-scalar-offset", "exact", cpu_scalar_offset),
    Canary("argmax", "exact", argmax),
    Canary("cumsum", "exact", cumsum),
    Canary("layer-norm-float16", "float16", layer_norm_float16),
    Canary("int64", "exact", int64),
    Canary("float64-refusal", "exact", float64_refusal),
)


def measure(canary: Canary, device: str) -> dict[str, object]:
    """The difference between `device` and the CPU, as JSON; never raises.

    `error` is the result of `largest_error`, `seconds` the time of both sides. If there is nothing
    to compare, `status` is "skipped" (this torch lacks an operation) or "failed", and `detail` says
    why.
    """
    answer: dict[str, object] = {"canary": canary.name, "precision": canary.precision}
    started = time.perf_counter()
    try:
        with torch.no_grad():
            expected = canary.compute(Side("cpu", canary.precision, is_reference=True))
            actual = canary.compute(Side(device, canary.precision))
            answer["error"] = largest_error(expected, actual)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [""])[0]
        detail = f"{type(error).__name__}: {reason}"
        skipped = isinstance(error, NotImplementedError) or _CANNOT.search(detail)
        answer["status"] = "skipped" if skipped else "failed"
        answer["detail"] = detail[:_LONGEST_DETAIL]
    answer["seconds"] = round(time.perf_counter() - started, 4)
    return answer


def largest_error(expected: list[torch.Tensor], actual: list[torch.Tensor]) -> float | str:
    """The largest difference; for fractions, relative to the largest number.

    "nan" if a number is not finite. Raises ValueError if the shapes differ.
    """
    worst = 0.0
    for right, got in zip(expected, actual):  # noqa: B905 (Python 3.8 has no `strict`)
        if right.shape != got.shape:
            raise ValueError(f"shape {tuple(got.shape)} instead of {tuple(right.shape)}")
        largest = float(right.abs().max()) if right.is_floating_point() else 1.0
        difference = float((got.cpu().double() - right.double()).abs().max()) / (largest or 1.0)
        if not math.isfinite(difference):
            return "nan"
        worst = max(worst, difference)
    return worst
