"""The facts about a machine, without opinions. `None` always means: not known."""

from enum import Enum
from typing import Literal

from msgspec import field

from mpsdoctor.constants import FACTS_SCHEMA
from mpsdoctor.facts.agent import Agent
from mpsdoctor.records import Record


class System(Record):
    """The operating system. The macOS fields are those of `sw_vers`, never `platform.mac_ver`.

    `platform.mac_ver` returns 10.16 or 16.0 if Python was built with an older SDK (cpython
    #135675). `virtual_machine` is `kern.hv_vmm_present`. `sandboxed` describes mpsdoctor's own
    process and its children.
    """

    kernel: str
    macos_version: str | None = None
    macos_build: str | None = None
    virtual_machine: bool | None = None
    sandboxed: bool | None = None


class Hardware(Record):
    """The machine itself, independent of the architecture of this Python."""

    model: str | None = None
    chip: str | None = None
    apple_silicon: bool | None = None
    cpu_cores: int | None = None
    ram_bytes: int | None = None


class Python(Record):
    """The Python that PyTorch runs in.

    `translated` is `sysctl.proc_translated`: an x86_64 process under Rosetta on Apple silicon.
    `prefix` and `base_prefix` differ in a virtual environment; `conda` says whether the latter is
    conda's. `pip` says whether `python -m pip` is there: uv creates environments without it.
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
    """The current source of power, and what slows the Mac down."""

    on_battery: bool | None = None
    battery_percent: int | None = None
    low_power_mode: bool | None = None
    thermal_state: ThermalState | None = None


class Pressure(str, Enum):
    """The kernel's memory pressure: green, yellow and red in Activity Monitor."""

    NORMAL = "normal"
    WARNING = "warning"
    CRITICAL = "critical"


class Memory(Record):
    """Memory now. `working_set_bytes` is Metal's recommendedMaxWorkingSetSize.

    `wired_limit_bytes` is a limit for the GPU that the user has set; 0 means that macOS decides.
    `in_use_bytes` is the memory of programs and the system, without cached files.
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
    """What torch reported in a child process. `error` is set unless it answered."""

    outcome: ProbeOutcome
    version: str | None = None
    mps_built: bool | None = None
    mps_available: bool | None = None
    error: str | None = None


class Environment(Record):
    """The variables that PyTorch, Metal, Hugging Face and mpsdoctor read.

    A private value is None: only the presence of a token is recorded. If torch is already loaded,
    `set_late` names PyTorch's variables that have changed since this process started; torch may
    have read them before the change.
    """

    variables: dict[str, str | None]
    set_late: tuple[str, ...] = ()


class Place(str, Enum):
    """The kind of place that a folder is in; macOS treats each differently."""

    ORDINARY = "ordinary"
    USER_FOLDER = "Desktop, Documents or Downloads"
    CLOUD = "cloud storage"
    NETWORK = "network volume"
    EXTERNAL = "other volume"


class Volume(Record):
    """The volume of a folder. `available_bytes` is `free_bytes` plus purgeable space.

    It is `NSURLVolumeAvailableCapacityForImportantUsageKey`, which only macOS has.
    """

    filesystem: str | None = None
    free_bytes: int | None = None
    available_bytes: int | None = None


class Folder(Record):
    """A folder with its symlinks resolved. `error` is the errno's name if it cannot be used.

    If the folder does not exist, `usable` says whether it could be created, and `nearest` is the
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
    """The folder for prompt files; `one_volume` is None if it has no subfolders yet."""

    folder: Folder
    one_volume: bool | None = None


class HubCache(Record):
    """huggingface_hub's cache. `damaged` names models with a link to a missing file.

    `unfinished` counts the files of incomplete downloads, with `unfinished_bytes` in total.
    """

    folder: Folder
    damaged: tuple[str, ...] = ()
    unfinished: int = 0
    unfinished_bytes: int = 0


class ModelState(str, Enum):
    """How much of a model is on this disk; `PICKLED` is complete, but lacks safetensors."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    PICKLED = "pickled"
    ABSENT = "absent"


class ModelFiles(Record):
    """The files of the requested model; nothing was loaded.

    `missing` names files, relative to the model, and `pickled` components without safetensors.
    `dtype` is the number format in which the model will be loaded.
    """

    model: str
    state: ModelState
    pipeline: str | None = None
    missing: tuple[str, ...] = ()
    pickled: tuple[str, ...] = ()
    dtype: str | None = None


class ProfileFile(Record, kw_only=True):
    """The profile on this disk, as far as checks look at it.

    `settings` are the values in force, without variables and arguments; `pinned` names those that
    were set by hand. `problem` says why the profile is not understood, and `hint` what was probably
    meant. `fixable` says whether the problem is in the file, not in a variable, and the file can
    be read.
    """

    path: str
    problem: str | None = None
    hint: str = ""
    fixable: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    pinned: tuple[str, ...] = ()


Precision = Literal["exact", "float32", "float16", "bfloat16"]
"""The number format of a canary; "exact" if nothing may be rounded."""


class CanaryStatus(str, Enum):
    """How a canary ended: `COMPARED` with an error, `FAILED` with an exception.

    Older files have a verdict instead of `COMPARED`: `OK` or `WRONG`. `SKIPPED`: this torch lacks
    an operation, or an earlier canary ended the process. `CRASHED` and `TIMED_OUT`: the process
    ended, or was killed, while the canary ran.
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

    `error` is the largest difference; for fractions, it is relative to the largest number. It is
    "nan" if a number is not finite. Only a verdict has a `tolerance`. `seconds` is the time of both
    sides. `detail` says why there is no error.
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
    """How the rendering of the embedded model ended.

    `COMPARED`: with numbers; older files have a verdict instead, `OK` or `WRONG`. `FAILED`: with an
    exception on the device. `NOT_COMPARED`: with an exception before the device began. `CRASHED`
    and `TIMED_OUT`: the process ended, or was killed.
    """

    COMPARED = "compared"
    OK = "ok"
    WRONG = "wrong"
    FAILED = "failed"
    NOT_COMPARED = "not compared"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"


class Picture(Record):
    """A picture that the embedded model rendered on `device` in `dtype`, compared with the CPU's.

    The CPU renders in float32, on one core. `largest`, `mean` and `rms` (root mean square) are
    differences in levels, 0 to 255; only a verdict has a `tolerance`, which applies to `rms`.
    `not_finite` counts the numbers that are NaN or infinite; if there are any, there are no
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

    `requirements` maps a distribution, or an extra (`diffusers[torch]`), to what it requires of the
    others. `torch` and all later fields are None if they were not requested.
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
        """Whether the kernel is that of macOS."""
        return self.system.kernel == "Darwin"

    @property
    def torch_version(self) -> str | None:
        """The version that torch reported, otherwise the installed one."""
        said = self.torch.version if self.torch is not None else None
        return said or (self.packages or {}).get("torch")
