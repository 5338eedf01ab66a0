"""Whether a model fits a machine at a size, and with which settings; pure."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from packaging.version import Version

from mpsdoctor.facts.records import Facts
from mpsdoctor.knowledge.attention import memory, pieces
from mpsdoctor.knowledge.attention.memory import Cliff, Kind
from mpsdoctor.knowledge.gpu_limit import gpu_limit
from mpsdoctor.knowledge.versions import parse
from mpsdoctor.planning.footprint import AttentionCall, Footprint, Stage, StageName
from mpsdoctor.records import Record
from mpsdoctor.units import MIB

Attention = Literal["native", "bounded", "sliced"]


class Machine(Record):
    """The machine that a forecast is for.

    `limit_bytes` is how much memory may be in use at once, None if unknown. `limit_from` names that
    limit. `mps` is whether the model runs on the GPU of a Mac. `in_use_bytes` is the part of
    `ram_bytes` that other programs and the system use now.
    """

    limit_bytes: int | None
    limit_from: str
    mps: bool
    torch: str | None = None
    macos: str | None = None
    ram_bytes: int | None = None
    in_use_bytes: int | None = None

    @property
    def left_bytes(self) -> int | None:
        """The memory that other programs leave free now; None if unknown."""
        if self.ram_bytes is None or self.in_use_bytes is None:
            return None
        return max(0, self.ram_bytes - self.in_use_bytes)


class Setting(Record):
    """What can be chosen: the profile's `attention`, `attention_budget` in MiB and `vae_tiling`."""

    attention: Attention
    attention_budget: int | None = None
    vae_tiling: bool = False

    def __str__(self) -> str:
        budget = f" ({self.attention_budget} MiB)" if self.attention_budget else ""
        return f"{self.attention}{budget}{' and VAE tiling' if self.vae_tiling else ''}"


class StageForecast(Record):
    """`peak_bytes` are activations, without weights; a buffer is one array."""

    name: StageName
    weights_bytes: int
    peak_bytes: int
    largest_buffer_bytes: int
    cliff: Cliff | None = None


class Outcome(Record):
    """The forecast with one setting. `peak_bytes` is all weights and the largest stage.

    `fits` is None if the limit is unknown; `missing_bytes` is how far the peak exceeds it. Neither
    counts other programs. `missing_now_bytes` is how far the peak exceeds the memory that they
    leave free now, None if unknown.
    """

    setting: Setting
    stages: tuple[StageForecast, ...]
    peak_bytes: int
    largest_buffer_bytes: int
    cliff: Cliff | None
    fits: bool | None
    missing_bytes: int = 0
    missing_now_bytes: int | None = None


class Forecast(Record):
    """One size with every setting, the fastest first; `best` is the first that fits."""

    model: str
    pipeline: str
    width: int
    height: int
    dtype: str
    batch: int
    weights_bytes: int
    outcomes: tuple[Outcome, ...]
    best: Setting | None

    @property
    def best_outcome(self) -> Outcome | None:
        """The outcome with `best`."""
        return next((one for one in self.outcomes if one.setting == self.best), None)


def machine_of(facts: Facts) -> Machine:
    """A Mac's limit is its GPU's. On another machine the CPU renders, so the limit is its RAM."""
    ram, in_use = facts.hardware.ram_bytes, facts.memory.in_use_bytes
    if not facts.is_mac:
        return Machine(
            limit_bytes=ram,
            limit_from="the memory of this machine, which is not a Mac",
            mps=False,
            torch=facts.torch_version,
            ram_bytes=ram,
            in_use_bytes=in_use,
        )
    limit = gpu_limit(facts)
    return Machine(
        limit_bytes=limit.size_bytes,
        limit_from=limit.words,
        mps=True,
        torch=facts.torch_version,
        macos=facts.system.macos_version,
        ram_bytes=ram,
        in_use_bytes=in_use,
    )


def forecast(
    footprint: Footprint, machine: Machine, attentions: Sequence[Attention], budget_mib: int
) -> Forecast:
    """The footprint on the machine, with each way of attention, without and with VAE tiling.

    Native attention is the fastest, then bounded. Diffusers' slicing is slower than both, so it is
    `best` only if `attentions` has nothing else.
    """
    outcomes = tuple(
        _outcome(footprint, machine, setting)
        for setting in _settings(footprint, attentions, budget_mib)
    )
    faster = [one for one in outcomes if one.setting.attention != "sliced"] or outcomes
    best = (one.setting for one in faster if one.fits and one.cliff is None)
    return Forecast(
        model=footprint.model,
        pipeline=footprint.pipeline,
        width=footprint.width,
        height=footprint.height,
        dtype=footprint.dtype,
        batch=footprint.batch,
        weights_bytes=footprint.weights_bytes,
        outcomes=outcomes,
        best=next(best, None),
    )


def largest(forecasts: Iterable[Forecast]) -> Forecast | None:
    """The one with the most pixels among those that fit."""
    fitting = [one for one in forecasts if one.best is not None]
    return max(fitting, key=lambda one: one.width * one.height, default=None)


def stage_peak(stage: Stage, temporary: Callable[[AttentionCall], int]) -> int:
    """The most activations that the stage has alive at once, in bytes.

    `temporary` gives the bytes that a call of attention allocates, without inputs and output.
    """
    with_attention = (
        call.live_bytes + temporary(call) + memory.output_bytes(call.shape, call.dtype)
        for call in stage.attention
    )
    return max(stage.peak_bytes, *with_attention, 0)


def _settings(
    footprint: Footprint, attentions: Sequence[Attention], budget_mib: int
) -> list[Setting]:
    tilings = [False] if footprint.tiled is None else [False, True]
    return [
        Setting(
            attention=attention,
            attention_budget=budget_mib if attention == "bounded" else None,
            vae_tiling=tiling,
        )
        for attention in attentions
        for tiling in tilings
    ]


def _outcome(footprint: Footprint, machine: Machine, setting: Setting) -> Outcome:
    stages = tuple(
        _stage(_chosen(stage, footprint, setting), setting, machine) for stage in footprint.stages
    )
    peak = footprint.weights_bytes + max((stage.peak_bytes for stage in stages), default=0)
    limit, left = machine.limit_bytes, machine.left_bytes
    cliffs = [stage.cliff for stage in stages if stage.cliff is not None]
    return Outcome(
        setting=setting,
        stages=stages,
        peak_bytes=peak,
        largest_buffer_bytes=max((stage.largest_buffer_bytes for stage in stages), default=0),
        cliff=min(cliffs, default=None, key=list(Cliff).index),
        fits=None if limit is None else peak <= limit,
        missing_bytes=0 if limit is None else max(0, peak - limit),
        missing_now_bytes=None if left is None else max(0, peak - left),
    )


def _chosen(stage: Stage, footprint: Footprint, setting: Setting) -> Stage:
    if stage.name == "decoder" and setting.vae_tiling and footprint.tiled is not None:
        return footprint.tiled
    return stage


def _stage(stage: Stage, setting: Setting, machine: Machine) -> StageForecast:
    parts = [_attention(stage, call, setting, machine) for call in stage.attention]
    cliffs = [cliff for _, _, cliff in parts if cliff is not None]
    return StageForecast(
        name=stage.name,
        weights_bytes=stage.weights_bytes,
        peak_bytes=stage_peak(stage, lambda call: _attention(stage, call, setting, machine)[0]),
        largest_buffer_bytes=max(stage.largest_buffer_bytes, *(size for _, size, _ in parts), 0),
        cliff=min(cliffs, default=None, key=list(Cliff).index),
    )


def _attention(
    stage: Stage, call: AttentionCall, setting: Setting, machine: Machine
) -> tuple[int, int, Cliff | None]:
    """Temporary bytes, bytes of the largest array, and what that array does to MPSGraph."""
    shape, dtype = call.shape, call.dtype
    kind = _kind(call, machine)
    if setting.attention == "sliced" and "unet" in stage.components:
        kind, scores = Kind.COMPOSITE, memory.sliced_scores(shape, "auto")
        temporary = memory.sliced_bytes(shape, dtype, "auto")
    elif setting.attention == "bounded" and setting.attention_budget:
        budget = setting.attention_budget * MIB
        scores = _bounded_scores(call, budget)
        temporary = memory.bounded_bytes(shape, dtype, kind, budget)
    else:
        scores, temporary = shape.scores, memory.temporary_bytes(shape, dtype, kind)
    largest = 0 if kind is Kind.FLASH else scores * memory.score_itemsize(dtype, kind)
    macos = parse(machine.macos)
    return temporary, largest, memory.cliff(scores, dtype, kind, macos) if machine.mps else None


def _bounded_scores(call: AttentionCall, budget: int) -> int:
    shape = call.shape
    sizes = (shape.batch, shape.heads, shape.queries)
    if pieces.fits(sizes, shape.keys, budget):
        return shape.scores
    batch, heads, queries = pieces.largest_piece(sizes, shape.keys, budget)
    return batch * heads * queries * shape.keys


def _kind(call: AttentionCall, machine: Machine) -> Kind:
    """A CPU keeps no scores; an unknown torch counts as one without flash kernels."""
    if not machine.mps:
        return Kind.FLASH
    torch = parse(machine.torch) or Version("2.12")
    return memory.kind_of(torch, parse(machine.macos), call.shape, call.dtype)
