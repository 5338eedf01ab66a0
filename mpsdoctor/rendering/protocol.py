"""The messages between the daemon and its worker: one JSON object per line, no torch.

The daemon sends `Configure` once, then one `RenderJob` after another. The worker answers `Ready` or
`Refused`. For each job it sends `Started`, any number of `Step`, and one `Rendered` or `Failed`,
the answers in the order of the jobs. `Started` and `Step` come from the denoising itself, so they
stop if it hangs.
"""

from typing import Any, Final, Literal

import msgspec

from mpsdoctor.prompts.request import Request
from mpsdoctor.records import Record


class Configure(Record, tag_field="kind", tag="configure"):
    """The profile as the daemon resolved it; the worker reads no file or environment for it."""

    profile: dict[str, Any]
    """The arguments of `mpsdoctor.profile.settings.Profile`."""


class RenderJob(Record, tag_field="kind", tag="render"):
    """One picture of a job: written to `output`, a PNG inside the job's own folder.

    `request` has a seed, and a count of 1. `profile` is the hash that the picture's record names,
    `fallback` the number of the fallback to start with.
    """

    job: str
    number: int
    request: Request
    output: str
    profile: str = ""
    fallback: int = 0


class Ready(Record, tag_field="kind", tag="ready"):
    """The pipeline is loaded."""

    model: str
    device: str


class Refused(Record, tag_field="kind", tag="refused"):
    """The pipeline cannot be loaded; no job of this worker can succeed."""

    title: str
    detail: str = ""
    hint: str = ""
    cause: Literal["model", "gpu", "other"] = "other"


class Started(Record, tag_field="kind", tag="started"):
    """The picture is started, or started again with the next fallback of the chain."""

    job: str
    number: int
    fallback: int = 0


class Step(Record, tag_field="kind", tag="step"):
    """Denoising step `step` of `steps` is done (1-based)."""

    job: str
    number: int
    step: int
    steps: int


class Rendered(Record, tag_field="kind", tag="rendered"):
    """The picture is at `output`, complete and on disk.

    `fallback` is the number of the fallback that made it, and `remedy` says how that differs from
    the profile. `memory_bytes` is what the GPU's driver holds for the worker, 0 if unknown.
    """

    job: str
    number: int
    output: str
    seconds: float
    notes: tuple[str, ...] = ()
    remedy: str = ""
    fallback: int = 0
    memory_bytes: int = 0


class Failed(Record, tag_field="kind", tag="failed"):
    """This job has no picture.

    With the cause "job", another attempt would fail too. The other causes are temporary: a full
    disk, an absent GPU, memory that other programs hold.
    """

    job: str
    number: int
    title: str
    detail: str = ""
    hint: str = ""
    cause: Literal["job", "disk", "gpu", "memory"] = "job"


MOST_IN_HAND: Final = 2
"""The jobs that the worker may have at once: one to compute, one to save or to compute next."""

Command = Configure | RenderJob
Message = Ready | Refused | Started | Step | Rendered | Failed

_encoder = msgspec.json.Encoder()
_commands: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_messages: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def to_line(message: Command | Message) -> bytes:
    """One line, newline included, UTF-8."""
    return _encoder.encode(message) + b"\n"


def command_from_line(line: bytes) -> Command:
    """Raises ValueError for anything else."""
    return _commands.decode(line)


def message_from_line(line: bytes) -> Message:
    """Raises ValueError for anything else."""
    return _messages.decode(line)


def sentinel(job: str, number: int) -> str:
    """The line on stderr after which no other line is about this picture."""
    return f"mpsdoctor: nothing more is computed for picture {number} of job {job}"
