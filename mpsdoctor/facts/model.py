"""What a machine is, without opinions. `None` always means: not known."""

from enum import Enum
from typing import Literal

from mpsdoctor.constants import FACTS_SCHEMA
from mpsdoctor.records import Record


class System(Record):
    """The operating system. The macOS fields are those of `sw_vers`, never `platform.mac_ver`.

    `platform.mac_ver` answers 10.16 or 16.0 where Python was built with an older SDK
    (cpython #135675).
    """

    kernel: str
    macos_version: str | None = None
    macos_build: str | None = None


class Hardware(Record):
    """The machine itself, whatever the Python that looks at it was built for."""

    model: str | None = None
    chip: str | None = None
    apple_silicon: bool | None = None
    cpu_cores: int | None = None
    ram_bytes: int | None = None


class Python(Record):
    """The Python that PyTorch runs in.

    `translated` is `sysctl.proc_translated`: an x86_64 process under Rosetta on Apple silicon.
    """

    version: str | None = None
    machine: str | None = None
    executable: str | None = None
    prefix: str | None = None
    translated: bool | None = None


class ProbeOutcome(str, Enum):
    """How the question to torch ended."""

    ANSWERED = "answered"
    MISSING = "missing"
    FAILED = "failed"
    TIMED_OUT = "timed out"


class Torch(Record):
    """What torch said of itself in a child process. `error` is set unless it answered."""

    outcome: ProbeOutcome
    version: str | None = None
    mps_built: bool | None = None
    mps_available: bool | None = None
    error: str | None = None


class Facts(Record):
    """One machine. `packages` maps distribution names to installed versions.

    `torch` is None where it was not asked.
    """

    schema_version: Literal[1] = FACTS_SCHEMA
    system: System
    hardware: Hardware = Hardware()
    python: Python
    packages: dict[str, str] | None = None
    torch: Torch | None = None

    @property
    def is_mac(self) -> bool:
        """Whether the kernel is macOS's."""
        return self.system.kernel == "Darwin"

    @property
    def torch_version(self) -> str | None:
        """What torch said of itself, else what is installed under its name."""
        said = self.torch.version if self.torch is not None else None
        return said or (self.packages or {}).get("torch")
