"""The messages between the daemon and its worker: one JSON object a line, no torch.

The daemon sends `Configure` once, then one `RenderJob` after another. The worker answers
`Ready` or `Refused`, then for each job any number of `Step` and one `Rendered` or `Failed`.
"""

from typing import Any

import msgspec

from mpsdoctor.profile.model import Profile
from mpsdoctor.records import Record


class Configure(Record, tag_field="kind", tag="configure"):
    """The profile as the daemon resolved it; the worker reads no file or environment for it."""

    profile: Profile


class RenderJob(Record, tag_field="kind", tag="render"):
    """One picture: written to `output` (a PNG inside the job's own folder), with `job` in it."""

    job: str
    prompt: str
    seed: int
    output: str


class Ready(Record, tag_field="kind", tag="ready"):
    """The pipeline is loaded."""

    model: str
    device: str


class Refused(Record, tag_field="kind", tag="refused"):
    """The pipeline cannot be loaded; no job of this worker can succeed."""

    title: str
    detail: str = ""
    hint: str = ""


class Step(Record, tag_field="kind", tag="step"):
    """Denoising step `step` of `steps` is done (1-based)."""

    job: str
    step: int
    steps: int


class Rendered(Record, tag_field="kind", tag="rendered"):
    """The picture lies at `output`, complete."""

    job: str
    output: str
    seconds: float


class Failed(Record, tag_field="kind", tag="failed"):
    """This job has no picture, for a reason that another attempt would not change."""

    job: str
    title: str
    detail: str = ""
    hint: str = ""


Command = Configure | RenderJob
Message = Ready | Refused | Step | Rendered | Failed


def _to_settings(profile: Profile) -> dict[str, Any]:
    return profile.model_dump()


def _to_profile(_kind: type[Profile], settings: dict[str, Any]) -> Profile:
    return Profile(**settings)


_commands: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command, dec_hook=_to_profile)
_messages: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def to_line(message: Command | Message) -> bytes:
    """One line, newline included, UTF-8."""
    return msgspec.json.encode(message, enc_hook=_to_settings) + b"\n"


def command_from_line(line: bytes) -> Command:
    """Raises ValueError for anything else."""
    return _commands.decode(line)


def message_from_line(line: bytes) -> Message:
    """Raises ValueError for anything else."""
    return _messages.decode(line)
