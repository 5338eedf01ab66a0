"""The messages between the daemon and its worker: one JSON object a line, no torch.

The daemon sends `Configure` once, then one `RenderJob` after another. The worker answers
`Ready` or `Refused`, then for each job any number of `Step` and one `Rendered` or `Failed`.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from mpsdoctor.profile.model import Profile
from mpsdoctor.records import Record


class Configure(Record):
    """The profile as the daemon resolved it; the worker reads no file or environment for it."""

    kind: Literal["configure"] = "configure"
    profile: Profile


class RenderJob(Record):
    """One picture: written to `output` (a PNG inside the job's own folder), with `job` in it."""

    kind: Literal["render"] = "render"
    job: str
    prompt: str
    seed: int
    output: str


class Ready(Record):
    """The pipeline is loaded."""

    kind: Literal["ready"] = "ready"
    model: str
    device: str


class Refused(Record):
    """The pipeline cannot be loaded; no job of this worker can succeed."""

    kind: Literal["refused"] = "refused"
    title: str
    detail: str = ""
    hint: str = ""


class Step(Record):
    """Denoising step `step` of `steps` is done (1-based)."""

    kind: Literal["step"] = "step"
    job: str
    step: int
    steps: int


class Rendered(Record):
    """The picture lies at `output`, complete."""

    kind: Literal["rendered"] = "rendered"
    job: str
    output: str
    seconds: float


class Failed(Record):
    """This job has no picture, for a reason that another attempt would not change."""

    kind: Literal["failed"] = "failed"
    job: str
    title: str
    detail: str = ""
    hint: str = ""


Command = Annotated[Configure | RenderJob, Field(discriminator="kind")]
Message = Annotated[
    Ready | Refused | Step | Rendered | Failed,
    Field(discriminator="kind"),
]

_commands: TypeAdapter[Configure | RenderJob] = TypeAdapter(Command)
_messages: TypeAdapter[Ready | Refused | Step | Rendered | Failed] = TypeAdapter(Message)


def to_line(message: Record) -> bytes:
    """One line, newline included, UTF-8."""
    return message.model_dump_json().encode() + b"\n"


def command_from_line(line: bytes) -> Configure | RenderJob:
    """Raises pydantic.ValidationError for anything else."""
    return _commands.validate_json(line)


def message_from_line(line: bytes) -> Ready | Refused | Step | Rendered | Failed:
    """Raises pydantic.ValidationError for anything else."""
    return _messages.validate_json(line)
