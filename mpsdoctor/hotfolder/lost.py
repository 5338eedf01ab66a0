"""What the user is told, and the daemon counts, when a worker is lost."""

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.complaints import Complaint
from mpsdoctor.hotfolder.deadline import Phase
from mpsdoctor.hotfolder.endings import Ending
from mpsdoctor.hotfolder.worker_process import InHand, WorkerProcess
from mpsdoctor.rendering.protocol import RenderJob


class WorkerLostError(MpsDoctorError):
    """The worker ended, or had to be ended, before it answered.

    `signature` is the same for the same crash. `job` is the one that it was about, which need not
    be the oldest in hand; None where the worker was still loading.
    """

    def __init__(
        self, title: str, *, detail: str, hint: str, signature: str, job: RenderJob | None
    ) -> None:
        super().__init__(title, detail=detail, hint=hint)
        self.signature = signature
        self.job = job


def complained(worker: WorkerProcess, about: Complaint, held: InHand | None) -> WorkerLostError:
    """It printed a line after which nothing that it computes is trusted."""
    return WorkerLostError(
        about.title,
        detail=_with_last_words(about.detail, worker),
        hint=about.hint,
        signature=f"complaint: {about.name}",
        job=_job(held),
    )


def died(
    worker: WorkerProcess, ending: Ending, held: InHand | None, report: str | None
) -> WorkerLostError:
    """It ended by itself; `report` is what the system says of it."""
    return WorkerLostError(
        f"The worker was lost {_phase(held).value}",
        detail=_with_last_words(f"{ending.detail} {report or ''}".rstrip(), worker),
        hint=ending.hint,
        signature=ending.signature,
        job=_job(held),
    )


def hung(worker: WorkerProcess, held: InHand | None) -> WorkerLostError:
    """It made no progress for too long."""
    phase = _phase(held).value
    return WorkerLostError(
        f"The worker hung {phase}",
        detail=_with_last_words("Nothing was heard of it any more, so it was ended.", worker),
        hint="A smaller picture is easier for this Mac. Where every prompt hangs, restart the "
        "Mac: nothing else frees a GPU that hangs. `mpsdoctor check` looks for known faults.",
        signature=f"hang {phase}",
        job=_job(held),
    )


def _phase(held: InHand | None) -> Phase:
    return held.timing.phase if held else Phase.LOAD


def _job(held: InHand | None) -> RenderJob | None:
    return held.job if held else None


def _with_last_words(detail: str, worker: WorkerProcess) -> str:
    last = "\n".join(worker.last_lines)
    return f"{detail}\nIts last words:\n{last}" if last else detail
