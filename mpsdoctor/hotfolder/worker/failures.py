"""Worker failures: exit statuses in words, and errors with a signature to compare."""

import signal
from dataclasses import dataclass

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.worker.process import InHand, WorkerProcess
from mpsdoctor.hotfolder.worker.timeouts import Phase
from mpsdoctor.knowledge import messages
from mpsdoctor.knowledge.messages import KnownMessage
from mpsdoctor.rendering.protocol import RenderJob

_LESS_MEMORY = messages.hint("less_memory")
_CHECK = messages.hint("known_faults", "smaller")

_MEANINGS = {
    signal.SIGABRT: (
        "PyTorch or Metal aborted it, which they do when a picture needs a larger block of memory "
        "than they can handle",
        messages.hint("less_memory", "known_faults"),
    ),
    signal.SIGKILL: ("the system killed it, most often because memory ran out", _LESS_MEMORY),
    signal.SIGSEGV: ("it crashed inside PyTorch or a graphics driver", _CHECK),
    signal.SIGBUS: ("it crashed inside PyTorch or a graphics driver", _CHECK),
    signal.SIGFPE: ("it crashed inside PyTorch or a graphics driver", _CHECK),
    signal.SIGILL: (
        "it used an instruction that this processor does not have",
        "Install the PyTorch build for this processor: `mpsdoctor check` says which one.",
    ),
    signal.SIGTRAP: ("an internal check of PyTorch or Metal failed", _CHECK),
    signal.SIGTERM: (
        "another program ended it; macOS does that when swap space runs out",
        f"Free space on the startup disk, which macOS uses for swap. {_LESS_MEMORY}",
    ),
}


@dataclass(frozen=True)
class Ending:
    """`signature` is the same for the same crash; `detail` and `hint` are for the user."""

    signature: str
    detail: str
    hint: str = _CHECK


def ending(returncode: int | None) -> Ending:
    """`returncode` is as in `subprocess.Popen`: negative for a signal, None while it runs."""
    if returncode is None:
        return Ending("mute", "It stopped responding and was killed.")
    if returncode >= 0:
        status = f"It exited with status {returncode}, without an answer."
        return Ending(f"exit {returncode}", status)
    try:
        number = signal.Signals(-returncode)
    except ValueError:
        return Ending(f"signal {-returncode}", f"Signal {-returncode} ended it.")
    if number not in _MEANINGS:
        return Ending(number.name, f"{number.name} ended it.")
    meaning, hint = _MEANINGS[number]
    return Ending(number.name, f"It ended with {number.name}: {meaning}.", hint)


class WorkerLostError(MpsDoctorError):
    """The worker ended, or had to be ended, before it answered.

    `signature` is the same for the same crash. `job` is the one to blame, which need not be the
    oldest in hand; None if the worker was still loading.
    """

    def __init__(
        self, title: str, *, detail: str, hint: str, signature: str, job: RenderJob | None
    ) -> None:
        super().__init__(title, detail=detail, hint=hint)
        self.signature = signature
        self.job = job


def reported(worker: WorkerProcess, about: KnownMessage, held: InHand | None) -> WorkerLostError:
    """The worker printed a known message; no result after that can be trusted."""
    return WorkerLostError(
        about.title,
        detail=_with_last_output(about.detail, worker),
        hint=about.hint,
        signature=f"complaint: {about.name}",  # as the jobs of older releases have it
        job=_job(held),
    )


def died(
    worker: WorkerProcess, ending: Ending, held: InHand | None, report: str | None
) -> WorkerLostError:
    """The worker ended by itself; `report` is what the system says about it."""
    return WorkerLostError(
        f"The worker was lost {_phase(held).value}",
        detail=_with_last_output(f"{ending.detail} {report or ''}".rstrip(), worker),
        hint=ending.hint,
        signature=ending.signature,
        job=_job(held),
    )


def hung(worker: WorkerProcess, held: InHand | None) -> WorkerLostError:
    """The worker made no progress for too long."""
    phase = _phase(held).value
    return WorkerLostError(
        f"The worker hung {phase}",
        detail=_with_last_output("It stopped responding and was killed.", worker),
        hint="A smaller picture is easier for this Mac. If every prompt hangs, restart the Mac: "
        "nothing else frees a GPU that hangs. `mpsdoctor check` looks for known faults.",
        signature=f"hang {phase}",
        job=_job(held),
    )


def _phase(held: InHand | None) -> Phase:
    return held.timing.phase if held else Phase.LOAD


def _job(held: InHand | None) -> RenderJob | None:
    return held.job if held else None


def _with_last_output(detail: str, worker: WorkerProcess) -> str:
    last = "\n".join(worker.last_lines)
    return f"{detail}\nLast output:\n{last}" if last else detail
