"""Whether the GPU is available and responds."""

import threading
from collections.abc import Callable

import torch

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts import sw_vers
from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.command import run as run_command
from mpsdoctor.knowledge.device import Device
from mpsdoctor.knowledge.versions import parse

_TIMEOUT_S = 60.0


def require_device(device: str) -> None:
    """Raises MpsDoctorError if `device` is "mps" and torch cannot use it."""
    if device == "mps" and not torch.backends.mps.is_available():
        raise MpsDoctorError(
            "torch cannot use the mps device here",
            detail=f"torch {torch.__version__} says that mps is not available.",
            hint="Run `mpsdoctor check`: it says why, and writes a profile that fits.",
        )


def this_gpu(run: Runner = run_command) -> Device:
    """This Mac's GPU, with the releases that decide which number formats it has."""
    macos = sw_vers.read(run, "Darwin").macos_version
    return Device(torch=parse(torch.__version__), macos=parse(macos))


def require_gpu(
    device: str, *, probe: Callable[[], object] | None = None, seconds: float = _TIMEOUT_S
) -> None:
    """Lets the GPU compute one number, if `device` is "mps".

    After a process was killed while it used the GPU, the GPU can stay busy until a restart (pytorch
    #135442). Waiting for it would never end. `probe` replaces the computation.

    Raises MpsDoctorError if the GPU fails, or does not respond within `seconds`.
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
            "The GPU does not respond",
            detail=f"One small computation did not finish within {seconds:g} seconds. This "
            "happens after a program was killed while it used the GPU.",
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
