"""Whether the GPU is there and answers."""

import threading
from collections.abc import Callable

import torch

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts import sw_vers
from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.command import run as run_command
from mpsdoctor.knowledge.device import Device
from mpsdoctor.knowledge.versions import parse

_PATIENCE_S = 60.0


def require_device(device: str) -> None:
    """Raises MpsDoctorError where `device` is "mps" and torch cannot use it."""
    if device == "mps" and not torch.backends.mps.is_available():
        raise MpsDoctorError(
            "torch cannot use the mps device here",
            detail=f"torch {torch.__version__} says that mps is not available.",
            hint="Run `mpsdoctor check`: it says why, and writes a profile that fits.",
        )


def this_gpu(run: Runner = run_command) -> Device:
    """This Mac's, by the releases that decide over its number formats."""
    macos = sw_vers.read(run, "Darwin").macos_version
    return Device(torch=parse(torch.__version__), macos=parse(macos))


def require_gpu(
    device: str, *, probe: Callable[[], object] | None = None, seconds: float = _PATIENCE_S
) -> None:
    """Has the GPU compute one number, where `device` is "mps".

    After a process that was killed in the middle of its work, the GPU can stay busy for good
    (pytorch #135442): waiting for it would then never end. `probe` stands in for the computation.

    Raises MpsDoctorError.
    """
    if device != "mps":
        return
    if probe is None:
        require_device(device)
    failure: list[Exception] = []
    thread = threading.Thread(target=_run, args=(probe or _one_number, failure), daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise MpsDoctorError(
            "The GPU does not answer",
            detail=f"One small computation did not end within {seconds:g} seconds, as happens "
            "after a program was ended in the middle of its work on the GPU.",
            hint="Restart the Mac: nothing else frees the GPU.",
        )
    if failure:
        raise MpsDoctorError(
            "The GPU does not work",
            detail=f"{type(failure[0]).__name__}: {failure[0]}",
            hint="Restart the Mac, then run `mpsdoctor check`.",
        )


def _run(probe: Callable[[], object], failure: list[Exception]) -> None:
    try:
        probe()
    except Exception as error:
        failure.append(error)


def _one_number() -> float:
    return float(torch.ones(1, device="mps").item())
