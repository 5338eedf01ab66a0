"""The worker: one warm child process, watched, ended and replaced."""

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import psutil

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.worker import process
from mpsdoctor.hotfolder.worker.failures import WorkerLostError, died, ending, hung, reported
from mpsdoctor.hotfolder.worker.jetsam import jetsam_event, report_folders
from mpsdoctor.hotfolder.worker.orphan import record_worker
from mpsdoctor.hotfolder.worker.process import InHand, WorkerProcess, within
from mpsdoctor.hotfolder.worker.timeouts import Phase, Timeouts
from mpsdoctor.knowledge.messages import KnownMessage
from mpsdoctor.profile.settings import Profile
from mpsdoctor.rendering.protocol import (
    MOST_IN_HAND,
    Configure,
    Failed,
    Message,
    Ready,
    Refused,
    Rendered,
    RenderJob,
    Started,
    Step,
)

WORKER: Final = (sys.executable, "-X", "faulthandler", "-m", "mpsdoctor.rendering.worker")
_TIMEOUTS: Final = Timeouts()
_REPORTS: Final = report_folders()
_SENTINEL_S: Final = 10.0
_LOOK_S: Final = 0.05
_LOOKS_FOR_REPORT: Final = 5

OnProgress = Callable[[Started | Step], Awaitable[None]]
"""Called with the progress of any job in hand."""


class RefusedError(MpsDoctorError):
    """The worker says why the model cannot be loaded; `cause` is what has to change."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.title, detail=refused.detail, hint=refused.hint)
        self.cause: Literal["model", "gpu", "other"] = refused.cause


def worker_environment(profile: Profile, environ: Mapping[str, str]) -> dict[str, str]:
    """The profile's variables under the user's own; rendering a prompt never downloads."""
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    return {**profile.environment, **environ, **offline}


class Supervisor:
    """Owns at most one worker, which has at most two jobs in hand.

    `record` is the file that says which process it is; macOS' reports on memory that ran out are
    looked for in the folders `reports`.
    """

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        record: Path,
        timeouts: Timeouts = _TIMEOUTS,
        clock: Callable[[], float] = time.monotonic,
        reports: Sequence[Path] = _REPORTS,
    ) -> None:
        self._command = command
        self._environ = environ
        self._record = record
        self._timeouts = timeouts
        self._clock = clock
        self._reports = reports
        self._worker: WorkerProcess | None = None
        self._loaded: Profile | None = None
        self._said_bytes = 0

    @property
    def model(self) -> str | None:
        """What is loaded; None where nothing is."""
        return self._loaded.model if self._loaded else None

    @property
    def pid(self) -> int | None:
        """The worker's process id; None where there is none."""
        return self._worker.process.pid if self._worker and self._worker.lives else None

    @property
    def computed(self) -> RenderJob | None:
        """What the worker computes now; None where it only saves pictures, or has none in hand."""
        held = self._worker.computed if self._worker else None
        return held.job if held else None

    @property
    def memory_bytes(self) -> int | None:
        """What the GPU's driver holds for the worker, by its own word, else its resident memory."""
        if not self.pid:
            return None
        try:
            return self._said_bytes or psutil.Process(self.pid).memory_info().rss
        except psutil.Error:
            return None

    async def load(self, profile: Profile) -> Ready | None:
        """Starts a worker and waits for its model; None where one with this profile is warm.

        Nothing may be in hand where another profile is to be loaded. Raises RefusedError where the
        model cannot be loaded, WorkerLostError, and MpsDoctorError where there is no worker to
        start.
        """
        worker = self._worker
        if worker and worker.lives and not worker.trouble and self._loaded == profile:
            return None
        await self.close()
        environ = worker_environment(profile, self._environ)
        worker = self._worker = await process.start(self._command, environ, self._clock)
        record_worker(self._record, worker.process.pid)
        worker.send(Configure(profile=profile.model_dump()))
        deadline = self._clock() + self._timeouts.seconds(Phase.LOAD, ())
        while True:
            message = await self._next_message(worker, None, lambda: deadline)
            if worker.trouble:
                raise await self._reported(worker, worker.trouble, None)
            match message:
                case Ready() as ready:
                    self._loaded = profile
                    return ready
                case Refused() as refused:
                    await self.close()
                    raise RefusedError(refused)
                case _:
                    pass  # what else it says is not about loading

    async def submit(self, job: RenderJob) -> None:
        """Gives it to the loaded worker, behind the one that it may have in hand."""
        assert self._worker, "load comes before submit"
        assert len(self._worker.in_hand) < MOST_IN_HAND
        self._worker.send(job)

    async def answer(self, on_progress: OnProgress) -> Rendered | Failed:
        """That of the oldest job in hand. Raises WorkerLostError; then there is no worker."""
        worker = self._worker
        assert worker, "submit comes before answer"
        oldest = worker.in_hand[0]
        while True:
            message = await self._next_message(
                worker, oldest, lambda: oldest.timing.deadline(self._timeouts)
            )
            if isinstance(message, Rendered | Failed):
                await self._require_sentinel(worker, oldest)
            if oldest.trouble:
                raise await self._reported(worker, oldest.trouble, oldest)
            match message:
                case (Started() | Step()) as progress:
                    await on_progress(progress)
                case (Rendered() | Failed()) as answer:
                    worker.in_hand.popleft()
                    if isinstance(answer, Rendered):
                        self._said_bytes = answer.memory_bytes
                    return answer
                case _:
                    pass  # trouble with another job in hand

    async def close(self) -> None:
        """Ends the worker at once, wherever it is; it owns nothing that could be lost."""
        worker, self._worker, self._loaded, self._said_bytes = self._worker, None, None, 0
        if worker:
            await worker.end()

    async def _next_message(
        self, worker: WorkerProcess, oldest: InHand | None, deadline: Callable[[], float]
    ) -> Message | None:
        """None where the worker has reported trouble.

        Raises WorkerLostError where no message can come any more, and at the deadline, which what
        is heard meanwhile puts off.
        """
        while True:
            # Time to read what has come meanwhile, where the daemon was busy until the deadline.
            left = max(_LOOK_S, deadline() - self._clock())
            try:
                message = await within(left, worker.next_message())
            except asyncio.TimeoutError:
                if self._clock() < deadline():
                    continue
                break
            if message is None and worker.is_mute:
                raise await self._died(worker, oldest)
            return message
        await self.close()
        raise hung(worker, oldest)

    async def _require_sentinel(self, worker: WorkerProcess, oldest: InHand) -> None:
        """Until it is read, a report of trouble with this picture may be on its way."""
        try:
            await within(_SENTINEL_S, oldest.passed.wait())
        except asyncio.TimeoutError:
            await self.close()
            raise hung(worker, oldest) from None

    async def _reported(
        self, worker: WorkerProcess, about: KnownMessage, held: InHand | None
    ) -> WorkerLostError:
        await self.close()
        return reported(worker, about, held)

    async def _died(self, worker: WorkerProcess, oldest: InHand | None) -> WorkerLostError:
        """What was being computed is to blame, not a picture that was only being saved."""
        await worker.ended()
        returncode = worker.process.returncode
        await self.close()
        held = worker.computed or oldest
        if about := held.trouble if held else worker.trouble:
            return reported(worker, about, held)
        report = None
        if returncode == -signal.SIGKILL:
            report = await self._memory_report(worker.process.pid)
        return died(worker, ending(returncode), held, report)

    async def _memory_report(self, pid: int) -> str | None:
        """macOS' own, which it may write a moment later."""
        ended = time.time()
        for _ in range(_LOOKS_FOR_REPORT if self._reports else 0):
            if report := jetsam_event(self._reports, pid, ended):
                return report
            await asyncio.sleep(1)
        return None
