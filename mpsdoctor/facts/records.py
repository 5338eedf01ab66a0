"""What a machine is, without opinions. `None` always means: not known."""

from enum import Enum
from typing import Literal

from msgspec import field

from mpsdoctor.constants import FACTS_SCHEMA
from mpsdoctor.facts.agent import Agent
from mpsdoctor.records import Record


class System(Record):
    """The operating system. The macOS fields are those of `sw_vers`, never `platform.mac_ver`.

    `platform.mac_ver` answers 10.16 or 16.0 where Python was built with an older SDK
    (cpython #135675). `virtual_machine` is `kern.hv_vmm_present`; `sandboxed` is about mpsdoctor's
    own process, and about those that it starts.
    """

    kernel: str
    macos_version: str | None = None
    macos_build: str | None = None
    virtual_machine: bool | None = None
    sandboxed: bool | None = None


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
    `prefix` and `base_prefix` differ in a virtual environment; `conda` is whether the latter is
    conda's. `pip` is whether `python -m pip` can install into it: uv makes environments without.
    """

    version: str | None = None
    machine: str | None = None
    executable: str | None = None
    prefix: str | None = None
    translated: bool | None = None
    base_prefix: str | None = None
    conda: bool | None = None
    pip: bool | None = None


class ThermalState(str, Enum):
    """How hot the Mac is, by NSProcessInfo; it slows down from `SERIOUS` on."""

    NOMINAL = "nominal"
    FAIR = "fair"
    SERIOUS = "serious"
    CRITICAL = "critical"


class Power(Record):
    """Where the power comes from at this moment, and what keeps the Mac from spending it."""

    on_battery: bool | None = None
    battery_percent: int | None = None
    low_power_mode: bool | None = None
    thermal_state: ThermalState | None = None


class Pressure(str, Enum):
    """What the kernel thinks of the memory that is left: Activity Monitor's green, yellow, red."""

    NORMAL = "normal"
    WARNING = "warning"
    CRITICAL = "critical"


class Memory(Record):
    """Memory now. `working_set_bytes` is Metal's recommendedMaxWorkingSetSize.

    `wired_limit_bytes` is what somebody lets the GPU hold; 0 means that macOS decides.
    `in_use_bytes` is what programs and the system hold, files that are only cached not counted.
    """

    pressure: Pressure | None = None
    swap_used_bytes: int | None = None
    wired_limit_bytes: int | None = None
    working_set_bytes: int | None = None
    in_use_bytes: int | None = None


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


class Environment(Record):
    """The variables that PyTorch, Metal, Hugging Face and mpsdoctor read.

    A value is None where it is nobody's business: of tokens only the presence is recorded.
    `set_late` names PyTorch's variables that have changed since this process started, if torch is
    loaded already; it may have read them before.
    """

    variables: dict[str, str | None]
    set_late: tuple[str, ...] = ()


class Place(str, Enum):
    """Where a folder lies, by what macOS makes of that."""

    ORDINARY = "ordinary"
    USER_FOLDER = "Desktop, Documents or Downloads"
    CLOUD = "cloud storage"
    NETWORK = "network volume"
    EXTERNAL = "other volume"


class Volume(Record):
    """What holds a folder. `free_bytes` are free now; `available_bytes` count purgeable ones too.

    The latter is `NSURLVolumeAvailableCapacityForImportantUsageKey`, which only macOS knows.
    """

    filesystem: str | None = None
    free_bytes: int | None = None
    available_bytes: int | None = None


class Folder(Record):
    """A folder with its symlinks resolved. `error` is the errno's name where it cannot be used.

    Of a folder that does not exist, `usable` says whether it could be made, and `nearest` is the
    lowest folder above it that exists.
    """

    path: str
    exists: bool
    usable: bool
    error: str | None = None
    place: Place = Place.ORDINARY
    volume: Volume = Volume()
    nearest: str | None = None


class HotFolder(Record):
    """Where prompts are dropped; `one_volume` is None where it has no folders yet."""

    folder: Folder
    one_volume: bool | None = None


class HubCache(Record):
    """huggingface_hub's cache. `damaged` names models with a link to a file that has gone.

    `unfinished` counts the files of downloads that have not ended, together `unfinished_bytes`.
    """

    folder: Folder
    damaged: tuple[str, ...] = ()
    unfinished: int = 0
    unfinished_bytes: int = 0


class ModelState(str, Enum):
    """How much of a model is on this disk; `PICKLED` is complete, but not as safetensors."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    PICKLED = "pickled"
    ABSENT = "absent"


class ModelFiles(Record):
    """The model that was asked about; nothing of it was loaded.

    `missing` names files, relative to the model, and `pickled` its components without safetensors.
    `dtype` is the number format that it is to be loaded in.
    """

    model: str
    state: ModelState
    pipeline: str | None = None
    missing: tuple[str, ...] = ()
    pickled: tuple[str, ...] = ()
    dtype: str | None = None


class ProfileFile(Record, kw_only=True):
    """The profile on this disk, as far as it is judged.

    `settings` are the values in force without variables and arguments, `pinned` those of them that
    were set by hand. `problem` says why the profile is not valid, and `hint` what was probably
    meant. `fixable` is whether the fault is in the file, not in a variable, and it can be read.
    """

    path: str
    problem: str | None = None
    hint: str = ""
    fixable: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    pinned: tuple[str, ...] = ()


Precision = Literal["exact", "float32", "float16", "bfloat16"]
"""The number format of a canary, "exact" where nothing may be rounded."""


class CanaryStatus(str, Enum):
    """How a canary ended: `COMPARED` with an error, `FAILED` with an exception.

    Older files have a verdict in place of `COMPARED`: `OK` or `WRONG`. `SKIPPED` where this torch
    cannot express it, or where an earlier one ended the process; `CRASHED` and `TIMED_OUT` where
    the process ended, or had to be ended, while it ran.
    """

    COMPARED = "compared"
    OK = "ok"
    WRONG = "wrong"
    FAILED = "failed"
    SKIPPED = "skipped"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"


class Canary(Record):
    """A tiny computation on `device`, compared with the CPU.

    `error` is the largest difference, relative to the largest number where those are fractions, and
    "nan" where a number is not finite. `tolerance` is recorded with a verdict only. `seconds`
    counts both sides. `detail` says why there is no error.
    """

    name: str
    status: CanaryStatus
    device: Literal["mps", "cpu"] = "mps"
    precision: Precision | None = None
    error: float | Literal["nan"] | None = None
    tolerance: float | None = None
    seconds: float | None = None
    detail: str = ""


class PictureStatus(str, Enum):
    """How a rendering of the embedded model ended.

    `COMPARED` with numbers, for which older files have a verdict, `OK` or `WRONG`; `FAILED` with an
    exception on the device; `NOT_COMPARED` where an exception kept it from beginning there,
    `CRASHED` and `TIMED_OUT` where the process ended, or had to be ended.
    """

    COMPARED = "compared"
    OK = "ok"
    WRONG = "wrong"
    FAILED = "failed"
    NOT_COMPARED = "not compared"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"


class Picture(Record):
    """A picture that the embedded model rendered on `device` in `dtype`, beside the CPU's.

    The CPU's is in float32, and on one core. `largest`, `mean` and `rms` (root mean square) are
    differences in levels, 0 to 255; `tolerance`, of `rms`, is recorded with a verdict only.
    `not_finite` counts the numbers that are NaN or infinite; with one of them there are no
    differences. `detail` says why there are no numbers.
    """

    status: PictureStatus
    device: Literal["mps", "cpu"]
    dtype: str
    not_finite: int | None = None
    largest: float | None = None
    mean: float | None = None
    rms: float | None = None
    tolerance: float | None = None
    seconds: float | None = None
    cpu_seconds: float | None = None
    detail: str = ""


class Facts(Record, kw_only=True):
    """One machine. `packages` maps distribution names to installed versions.

    `requirements` maps them, or one of their extras (`diffusers[torch]`), to what they ask of
    each other. `torch` and all that follows is None where it was not asked.
    """

    schema_version: Literal[1] = FACTS_SCHEMA
    system: System
    hardware: Hardware = Hardware()
    python: Python
    power: Power = Power()
    memory: Memory = Memory()
    packages: dict[str, str] | None = None
    torch: Torch | None = None
    canaries: tuple[Canary, ...] | None = None
    requirements: dict[str, tuple[str, ...]] | None = None
    environment: Environment | None = None
    hot_folder: HotFolder | None = None
    hub_cache: HubCache | None = None
    model_files: ModelFiles | None = None
    profile: ProfileFile | None = None
    picture: Picture | None = None
    agent: Agent | None = None

    @property
    def is_mac(self) -> bool:
        """Whether the kernel is macOS's."""
        return self.system.kernel == "Darwin"

    @property
    def torch_version(self) -> str | None:
        """What torch said of itself, else what is installed under its name."""
        said = self.torch.version if self.torch is not None else None
        return said or (self.packages or {}).get("torch")
