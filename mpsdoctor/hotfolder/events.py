"""What the daemon tells whoever shows it to the user."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Started:
    """The folder is watched; `resumed` jobs of an earlier daemon are taken up again."""

    root: Path
    resumed: int


@dataclass(frozen=True)
class Loaded:
    """A worker has loaded the model."""

    model: str
    device: str


@dataclass(frozen=True)
class Claimed:
    """A dropped file is a job now."""

    job: str
    name: str


@dataclass(frozen=True)
class Rendering:
    """Attempt `attempt` at a job begins."""

    job: str
    name: str
    attempt: int


@dataclass(frozen=True)
class Stepped:
    """Denoising step `step` of `steps` is done (1-based)."""

    job: str
    name: str
    step: int
    steps: int


@dataclass(frozen=True)
class Published:
    """The picture is out; `seconds` is what the rendering took."""

    job: str
    name: str
    image: Path
    seconds: float


@dataclass(frozen=True)
class Retrying:
    """The worker was lost during attempt `attempt`; the job will be tried again."""

    job: str
    name: str
    attempt: int
    title: str
    detail: str


@dataclass(frozen=True)
class Rejected:
    """The dropped file is in `failed/`, and `error_file` beside it says why."""

    job: str
    name: str
    title: str
    error_file: Path


@dataclass(frozen=True)
class Unmovable:
    """A dropped file cannot be claimed and stays in the inbox; it is tried again later."""

    name: str
    reason: str


@dataclass(frozen=True)
class Stopped:
    """The daemon was asked to end, and the worker has ended."""


Event = (
    Started
    | Loaded
    | Claimed
    | Rendering
    | Stepped
    | Published
    | Retrying
    | Rejected
    | Unmovable
    | Stopped
)
