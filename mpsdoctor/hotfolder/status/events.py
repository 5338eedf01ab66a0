"""The daemon's events, for the code that shows them to the user.

`name` is always the dropped file's name. No event holds a prompt, because prompts are private.
A file asks for `pictures` pictures, numbered from 1 by `number`.
"""

from dataclasses import dataclass
from pathlib import Path

from mpsdoctor.hotfolder.pause import Pause


@dataclass(frozen=True)
class Started:
    """The folder is watched; `resumed` jobs of an earlier daemon continue."""

    root: Path
    resumed: int


@dataclass(frozen=True)
class Loading:
    """A worker begins to load the model."""

    model: str


@dataclass(frozen=True)
class Loaded:
    """The worker, process `pid`, has loaded the model."""

    model: str
    device: str
    pid: int | None = None


@dataclass(frozen=True)
class Claimed:
    """A dropped file is now a job."""

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
    """Denoising step `step` of `steps` is done (1-based); `remaining_s` is from `eta`."""

    job: str
    name: str
    number: int
    step: int
    steps: int
    remaining_s: float | None = None


@dataclass(frozen=True)
class Published:
    """The picture is published; rendering it took `seconds`.

    `notes` say which parts of the request were changed, `remedy` what repaired a broken picture.
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
    """The worker was lost in attempt `attempt`; the picture will be tried again."""

    job: str
    name: str
    attempt: int
    title: str
    number: int = 1


@dataclass(frozen=True)
class Rejected:
    """The dropped file is now in `failed/`, and `error_file` beside it says why."""

    job: str
    name: str
    title: str
    error_file: Path


@dataclass(frozen=True)
class Unmovable:
    """A dropped file cannot be claimed. It stays in the inbox and is tried again later."""

    name: str
    reason: str


@dataclass(frozen=True)
class Paused:
    """The queue pauses, and no prompt is at fault. Sent again if the reason changes."""

    pause: Pause


@dataclass(frozen=True)
class Resumed:
    """The pause is over."""


@dataclass(frozen=True)
class Unloaded:
    """The worker was ended to free its memory; the next prompt starts another."""

    reason: str


@dataclass(frozen=True)
class Stopping:
    """The daemon was asked to end, and will after the pictures in hand."""


@dataclass(frozen=True)
class Stopped:
    """The daemon and its worker have ended, as asked."""


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
