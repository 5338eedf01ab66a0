"""The record of a fault of the mps device; the head of faults.toml explains the keys."""

from enum import Enum
from typing import Annotated, Literal

from msgspec import Meta, field
from packaging.specifiers import SpecifierSet

from mpsdoctor.knowledge.chips import Family
from mpsdoctor.records import Record

Text = Annotated[str, Meta(min_length=1)]
Dtype = Literal["float16", "bfloat16", "float32", "float64", "float8", "int64"]
Setting = bool | str | dict[str, str]


class Area(str, Enum):
    """The part of PyTorch or Diffusers that has the fault."""

    ATTENTION = "attention"
    MATMUL = "matmul"
    CONVOLUTION = "convolution"
    COPIES = "copies"
    DTYPES = "dtypes"
    MEMORY = "memory"
    MODELS = "models"
    RUNTIME = "runtime"


class Effect(str, Enum):
    """What happens to pictures or to the process, the most serious first."""

    BLACK = "black"
    CORRUPT = "corrupt"
    CRASH = "crash"
    ERROR = "error"
    MEMORY = "memory"
    SLOW = "slow"


class Reach(str, Enum):
    """Who can be affected by a fault, the largest group first."""

    PICTURES = "pictures"
    LARGE = "large"
    OPTIONS = "options"
    VIDEO = "video"
    CODE = "code"


class Confidence(str, Enum):
    """How good the evidence is, the best first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Fault(Record, forbid_unknown_fields=True, kw_only=True):
    """A table of faults.toml. An empty range or tuple means any; `settings` are a profile's.

    With `clears`, a canary that is right proves that the fault is absent.
    """

    id: Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)+$")]
    area: Area
    effect: Effect
    reach: Reach
    symptom: Text
    trigger: Text
    torch: SpecifierSet
    macos: SpecifierSet
    chips: tuple[Family, ...]
    dtypes: tuple[Dtype, ...]
    fixed_in: str
    remedy: Text
    settings: dict[str, Setting] = field(default_factory=dict)
    verified: SpecifierSet
    canary: str | None = None
    clears: bool = False
    sources: Annotated[tuple[Text, ...], Meta(min_length=1)]
    confidence: Confidence
