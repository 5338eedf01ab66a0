"""What the rules look at: a machine, a model, and what follows from both."""

from dataclasses import dataclass
from functools import cached_property

from packaging.version import Version

from mpsdoctor.facts.records import Facts
from mpsdoctor.knowledge import rendering, settings
from mpsdoctor.knowledge.device import Device, device_of
from mpsdoctor.knowledge.faults.fault import Fault
from mpsdoctor.knowledge.gpu_limit import GpuLimit, gpu_limit
from mpsdoctor.knowledge.rendering import Rendering
from mpsdoctor.planning.forecast import Machine, machine_of
from mpsdoctor.tuning import fit, precision
from mpsdoctor.tuning.fit import Fit
from mpsdoctor.tuning.needs import Needs
from mpsdoctor.tuning.precision import Precision


@dataclass(frozen=True)
class Context:
    """One machine and one model; slow results are computed once.

    `wanted_device` is the user's own choice, None if the rules choose.
    """

    facts: Facts
    needs: Needs
    wanted_device: str | None = None

    @property
    def has_mps(self) -> bool:
        """Whether torch finds this Mac's GPU."""
        return self.facts.torch is not None and self.facts.torch.mps_available is True

    @cached_property
    def device(self) -> Device:
        """What is known of the GPU."""
        return device_of(self.facts)

    @cached_property
    def mps_fault(self) -> Fault | None:
        """What makes the GPU useless here."""
        return settings.asking_for("device", self.device, "mps")

    @cached_property
    def rendering(self) -> Rendering:
        """How the GPU would render this model, and what it gets wrong then."""
        return rendering.choose(self.device, self.needs.model, self.needs.pipeline)

    @property
    def on_mps(self) -> bool:
        """Whether the GPU renders."""
        if self.wanted_device is not None:
            return self.wanted_device == "mps"
        return self.tuned_on_mps

    @property
    def tuned_on_mps(self) -> bool:
        """Whether it would without the user's own choice."""
        return self.has_mps and self.mps_fault is None and not self.rendering.wrong

    @property
    def lacks_sdpa(self) -> bool:
        """Whether torch is from before scaled_dot_product_attention."""
        torch = self.device.torch
        return self.on_mps and torch is not None and torch < Version("2.0")

    @cached_property
    def machine(self) -> Machine:
        """The machine for forecasts, with its memory limit."""
        return machine_of(self.facts)

    @property
    def gpu_limit(self) -> GpuLimit:
        """How much memory the GPU may hold."""
        return gpu_limit(self.facts)

    @cached_property
    def precision(self) -> Precision:
        """The number format to render in."""
        return precision.explain(self.rendering, self.needs, on_mps=self.on_mps)

    @cached_property
    def fit(self) -> Fit | None:
        """The fastest way that fits; None if the model's needs are not known."""
        if not self.on_mps or self.lacks_sdpa:
            return None
        return fit.fastest(self.needs.in_dtype(self.precision.dtype), self.needs.side, self.machine)
