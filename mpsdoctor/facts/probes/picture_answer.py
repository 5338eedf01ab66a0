"""Has a picture rendered in a child process, and reads the numbers however the child ended."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from mpsdoctor.facts.child import how_it_ended, objects
from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.records import Picture, PictureStatus
from mpsdoctor.records import Record

PROBE = Path(__file__).with_name("picture_probe.py")


class _Said(Record):
    """The combined output of picture_probe.py so far."""

    stage: Literal["libraries", "model", "cpu", "device", "done"] | None = None
    not_finite: int | None = None
    largest: float | None = None
    mean: float | None = None
    rms: float | None = None
    seconds: float | None = None
    cpu_seconds: float | None = None
    error: str = ""


def ask(
    run: Runner,
    executable: str,
    deadline: float,
    device: Literal["mps", "cpu"],
    model_folder: Path,
    dtype: str,
) -> Picture:
    """The picture that the Python `executable` renders on `device` within `deadline` seconds.

    `model_folder` holds the embedded model, `dtype` is the number format on the device.
    """
    result = run((executable, str(PROBE), str(model_folder), device, dtype), deadline)
    said = _said(objects(result.stdout))
    status = _status(said)
    detail = said.error
    if status is None:
        status = PictureStatus.TIMED_OUT if result.timed_out else PictureStatus.CRASHED
        detail = how_it_ended(result, deadline) + _while(said, device)
    return Picture(
        status=status,
        device=device,
        dtype=dtype,
        not_finite=said.not_finite,
        largest=said.largest,
        mean=said.mean,
        rms=said.rms,
        seconds=said.seconds,
        cpu_seconds=said.cpu_seconds,
        detail=detail,
    )


def _said(lines: Iterable[dict[str, object]]) -> _Said:
    """All lines combined; a line that cannot be read is ignored."""
    known: dict[str, object] = {}
    for line in lines:
        said = line.get("picture")
        with suppress(msgspec.ValidationError):
            if isinstance(said, dict):
                msgspec.convert(said, _Said)
                known |= said
    return msgspec.convert(known, _Said)


def _status(said: _Said) -> PictureStatus | None:
    """The status, or None if the child ended before it had printed everything."""
    if said.error:
        on_device = said.stage == "device"
        return PictureStatus.FAILED if on_device else PictureStatus.NOT_COMPARED
    if said.stage != "done":
        return None
    return PictureStatus.COMPARED if said.not_finite or said.rms is not None else None


def _while(said: _Said, device: str) -> str:
    doing = {
        "libraries": "the libraries were imported",
        "model": "the model was loaded",
        "cpu": "the CPU rendered",
        "device": f"{device} rendered",
    }
    return f", while {doing[said.stage]}" if said.stage in doing else ""
