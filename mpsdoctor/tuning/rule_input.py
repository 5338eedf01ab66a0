"""A context as one rule sees it; it records what the rule reads."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from packaging.version import Version

from mpsdoctor.knowledge import settings
from mpsdoctor.knowledge.faults.fault import Fault
from mpsdoctor.knowledge.gpu_limit import Source
from mpsdoctor.knowledge.recommended import Recommendation
from mpsdoctor.planning.forecast import Machine
from mpsdoctor.tuning.context import Context
from mpsdoctor.tuning.fit import Fit
from mpsdoctor.tuning.needs import Denoiser
from mpsdoctor.tuning.precision import Precision
from mpsdoctor.units import gib, whole_gib


class Input(Enum):
    """What a rule can read.

    Device and dtype are tuned by other rules; `attention` names what a forecast is based on.
    """

    SYSTEM = "system"
    GPU = "gpu"
    DEVICE = "device"
    DTYPE = "dtype"
    TORCH = "torch"
    MACOS = "macos"
    CHIP = "chip"
    CANARIES = "canaries"
    RAM = "ram"
    GPU_LIMIT = "GPU limit"
    MODEL = "model"
    PIPELINE = "pipeline"
    DENOISER = "denoiser"
    SIDE = "side"
    RECOMMENDED = "recommended"
    NEEDS = "needs"
    FORECAST = "forecast"


class RuleInput:
    """A rule's only access to the facts. `used` are those that it has read, in this order."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.used: dict[Input, None] = {}

    @property
    def facts(self) -> tuple[str, ...]:
        """What was read, as text."""
        return tuple(filter(None, (_WORDS[one](self._context) for one in self.used)))

    @property
    def is_mac(self) -> bool:
        """Whether the kernel is macOS's."""
        return self._after(Input.SYSTEM).facts.is_mac

    @property
    def has_mps(self) -> bool:
        """Whether torch finds this Mac's GPU."""
        return self._after(Input.GPU).has_mps

    @property
    def mps_fault(self) -> Fault | None:
        """What makes the GPU useless here."""
        return self._after_faults().mps_fault

    @property
    def wrong(self) -> tuple[str, ...]:
        """Faults of the GPU that affect this model: canaries, or the test picture."""
        context = self._after_faults()
        if context.device.wrong or context.device.wrong_picture:
            self._after(Input.MODEL, Input.PIPELINE)
        return context.rendering.wrong

    @property
    def on_mps(self) -> bool:
        """Whether the GPU renders."""
        return self._after(Input.DEVICE).on_mps

    @property
    def torch(self) -> Version | None:
        """The release of torch."""
        return self._after(Input.TORCH).device.torch

    @property
    def lacks_sdpa(self) -> bool:
        """Whether torch is from before scaled_dot_product_attention."""
        return self._after(Input.DEVICE, Input.TORCH).lacks_sdpa

    @property
    def slicing_fault(self) -> Fault | None:
        """What makes attention slicing give NaN."""
        return settings.slicing(self._after_faults().device)

    @property
    def variables(self) -> dict[str, tuple[str, Fault]]:
        """The environment variables that known faults require."""
        return settings.environment(self._after_faults().device)

    @property
    def ram_bytes(self) -> int | None:
        """This machine's memory."""
        return self._after(Input.RAM).facts.hardware.ram_bytes

    @property
    def gpu_limit_bytes(self) -> int | None:
        """The memory that the GPU may hold."""
        return self._after(Input.RAM, Input.GPU_LIMIT).gpu_limit.size_bytes

    @property
    def machine(self) -> Machine:
        """The machine for forecasts, with its memory limit."""
        return self._after(Input.TORCH, Input.MACOS, Input.RAM, Input.GPU_LIMIT).machine

    @property
    def precision(self) -> Precision:
        """The number format to render in, and why."""
        if not self.on_mps:
            return self._context.precision
        self._after(Input.MODEL, Input.PIPELINE)
        return self._after_faults().precision

    @property
    def dtype(self) -> str:
        """The number format to render in."""
        return self._after(Input.DTYPE).precision.dtype

    @property
    def fit(self) -> Fit | None:
        """The fastest way that fits, recorded by its parts; None if the needs are not known."""
        if not self.on_mps or self.lacks_sdpa:
            return None
        self._after(Input.DTYPE, Input.MACOS, Input.RAM, Input.GPU_LIMIT)
        return self._after(Input.NEEDS, Input.SIDE).fit

    @property
    def forecast(self) -> Fit | None:
        """The same way, recorded as one input."""
        return self._after(Input.FORECAST).fit

    @property
    def model(self) -> str:
        """As a profile names it."""
        return self._after(Input.MODEL).needs.model

    @property
    def embedded(self) -> bool:
        """Whether it is the model that ships with mpsdoctor."""
        return self._after(Input.MODEL).needs.embedded

    @property
    def pipeline(self) -> str:
        """The name of its Diffusers class; empty if unknown."""
        return self._after(Input.PIPELINE).needs.pipeline or ""

    @property
    def denoiser(self) -> Denoiser | None:
        """The network that removes noise."""
        return self._after(Input.DENOISER).needs.denoiser

    @property
    def recommended(self) -> Recommendation | None:
        """How the model's authors call its pipeline."""
        return self._after(Input.RECOMMENDED).needs.recommended

    def _after(self, *inputs: Input) -> Context:
        """The context, after recording these inputs as read."""
        self.used |= dict.fromkeys(inputs)
        return self._context

    def _after_faults(self) -> Context:
        return self._after(Input.TORCH, Input.MACOS, Input.CHIP, Input.CANARIES)


def _canaries(context: Context) -> str:
    """What the GPU computed wrong, including the test picture."""
    device = context.device
    found = [f"failed canaries {' and '.join(device.wrong)}"] if device.wrong else []
    if device.wrong_picture:
        found.append(f"a wrong picture in {device.wrong_picture}")
    return ", ".join(found)


def _gpu_limit(context: Context) -> str:
    """Empty for an estimate: that follows from the memory, which is named too."""
    limit = context.gpu_limit
    if limit.size_bytes is None or limit.source is Source.ESTIMATE:
        return ""
    return f"GPU limit {gib(limit.size_bytes)}"


def _ram(context: Context) -> str:
    size = context.facts.hardware.ram_bytes
    return "RAM not known" if size is None else f"RAM {whole_gib(size)}"


def _side(context: Context) -> str:
    side = context.needs.side
    return "size not known" if side is None else f"trained for {side}×{side}"


def _recommended(context: Context) -> str:
    advice = context.needs.recommended
    return f"recommended for {advice.name}" if advice else "no recommendation known"


def _forecast(context: Context) -> str:
    fit, limit = context.fit, context.machine.limit_bytes
    if fit is None or limit is None:
        return "no forecast"
    peak, size = fit.outcome.peak_bytes, f"{fit.footprint.width}×{fit.footprint.height}"
    return f"forecast of {gib(peak)} at {size}, limit {gib(limit)}"


def _needs(context: Context) -> str:
    known = context.needs.in_dtype(context.precision.dtype)
    if not known:
        return "needs not known"
    ordered = sorted(known, key=lambda one: one.width * one.height)
    first, last = (f"{one.width}×{one.height}" for one in (ordered[0], ordered[-1]))
    return f"needs from {first} to {last}"


_WORDS: Final[Mapping[Input, Callable[[Context], str]]] = {
    Input.SYSTEM: lambda context: "a Mac" if context.facts.is_mac else "not a Mac",
    Input.GPU: lambda context: f"{'a' if context.has_mps else 'no'} GPU that torch finds",
    Input.DEVICE: lambda context: f"device {'mps' if context.on_mps else 'cpu'}",
    Input.DTYPE: lambda context: f"dtype {context.precision.dtype}",
    Input.TORCH: lambda context: f"torch {context.facts.torch_version or 'not known'}",
    Input.MACOS: lambda context: f"macOS {context.facts.system.macos_version or 'not known'}",
    Input.CHIP: lambda context: context.facts.hardware.chip or "chip not known",
    Input.CANARIES: _canaries,
    Input.RAM: _ram,
    Input.GPU_LIMIT: _gpu_limit,
    Input.MODEL: lambda context: f"model {context.needs.model.rpartition('/')[2]}",
    Input.PIPELINE: lambda context: context.needs.pipeline or "pipeline not known",
    Input.DENOISER: lambda context: (
        f"denoiser {context.needs.denoiser.value if context.needs.denoiser else 'not known'}"
    ),
    Input.SIDE: _side,
    Input.RECOMMENDED: _recommended,
    Input.NEEDS: _needs,
    Input.FORECAST: _forecast,
}
