"""What the daemon tells whoever shows it to the user.

`name` is always the dropped file's; no event holds a prompt, which is the user's own business.
A file asks for `pictures` pictures, and `number` counts them from 1.
"""

from dataclasses import dataclass
from pathlib import Path

from mpsdoctor.hotfolder.pause import Pause


@dataclass(frozen=True)
class Started:
    """The folder is watched; `resumed` jobs of an earlier daemon are taken up again."""

    root: Path
    resumed: int


@dataclass(frozen=True)
class Loading:
    """A worker starts to load the model."""

    model: str


@dataclass(frozen=True)
class Loaded:
    """A worker, the process `pid`, has loaded the model."""

    model: str
    device: str
    pid: int | None = None


@dataclass(frozen=True)
class Claimed:
    """A dropped file is a job now."""

    job: str
    name: str


@dataclass(frozen=True)
class Rendering:
    """Attempt `attempt` at a picture begins."""

    job: str
    name: str
    number: int = 1
    pictures: int = 1
    attempt: int = 1


@dataclass(frozen=True)
class Stepped:
    """Denoising step `step` of `steps` is done (1-based); `remaining_s` as by `estimates`."""

    job: str
    name: str
    number: int
    step: int
    steps: int
    remaining_s: float | None = None


@dataclass(frozen=True)
class Published:
    """The picture is out; `seconds` is what the rendering took.

    `notes` say what of the request came out otherwise, `remedy` what cured a broken picture.
    """

    job: str
    name: str
    image: Path
    seconds: float
    notes: tuple[str, ...] = ()
    remedy: str = ""
    number: int = 1


@dataclass(frozen=True)
class Retrying:
    """The worker was lost during attempt `attempt`; the picture will be tried again."""

    job: str
    name: str
    attempt: int
    title: str
    number: int = 1


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
class Paused:
    """The queue waits, for a reason that is no prompt's fault; told again if it changes."""

    pause: Pause


@dataclass(frozen=True)
class Resumed:
    """The reason to wait has gone."""


@dataclass(frozen=True)
class Unloaded:
    """The worker was ended, and its memory is free; the next prompt starts another."""

    reason: str


@dataclass(frozen=True)
class Stopping:
    """The daemon was asked to end and does so as soon as it can."""


@dataclass(frozen=True)
class Stopped:
    """The daemon was asked to end, and the worker has ended."""


Event = (
    Started
    | Loading
    | Loaded
    | Claimed
    | Rendering
    | Stepped
    | Published
    | Retrying
    | Rejected
    | Unmovable
    | Paused
    | Resumed
    | Unloaded
    | Stopping
    | Stopped
)
