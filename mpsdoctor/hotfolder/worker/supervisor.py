"""Starts, watches, ends and replaces the worker, one warm child process."""

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
_SECONDS_BETWEEN_LOOKS: Final = 1.0

OnProgress = Callable[[Started | Step], Awaitable[None]]
"""Called with each progress message, for any job in hand."""


class RefusedError(MpsDoctorError):
    """The worker cannot load the model; `cause` says what has to change."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.title, detail=refused.detail, hint=refused.hint)
        self.cause: Literal["model", "gpu", "other"] = refused.cause


def worker_environment(profile: Profile, environ: Mapping[str, str]) -> dict[str, str]:
    """The user's variables override the profile's; rendering never downloads."""
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    return {**profile.environment, **environ, **offline}


class Supervisor:
    """Owns at most one worker, which has at most two jobs in hand.

    `record` is the file that says which process the worker is. `reports` are the folders with
    macOS' reports of running out of memory.
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
        self._reported_bytes = 0

    @property
    def model(self) -> str | None:
        """The loaded model; None if there is none."""
        return self._loaded.model if self._loaded else None

    @property
    def pid(self) -> int | None:
        """The worker's process id; None if there is no worker."""
        return self._worker.process.pid if self._worker and self._worker.is_alive else None

    @property
    def computed(self) -> RenderJob | None:
        """The job that the worker computes now; None if it only saves pictures, or is idle."""
        held = self._worker.computed if self._worker else None
        return held.job if held else None

    @property
    def memory_bytes(self) -> int | None:
        """The GPU driver's memory for the worker, if it reported that; else its resident memory."""
        if not self.pid:
            return None
        try:
            return self._reported_bytes or psutil.Process(self.pid).memory_info().rss
        except psutil.Error:
            return None

    async def load(self, profile: Profile) -> Ready | None:
        """Starts a worker and waits for its model; None if one with this profile is warm.

        Loading another profile needs an idle worker. Raises RefusedError if the model cannot be
        loaded, WorkerLostError, and MpsDoctorError if the worker cannot be started.
        """
        worker = self._worker
        if worker and worker.is_alive and not worker.trouble and self._loaded == profile:
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
                    pass  # other messages are not about loading

    async def submit(self, job: RenderJob) -> None:
        """Gives the job to the loaded worker, after the one that it may have in hand."""
        assert self._worker, "load comes before submit"
        assert len(self._worker.in_hand) < MOST_IN_HAND
        self._worker.send(job)

    async def answer(self, on_progress: OnProgress) -> Rendered | Failed:
        """The answer for the oldest job. Raises WorkerLostError; then there is no worker."""
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
                        self._reported_bytes = answer.memory_bytes
                    return answer
                case _:
                    pass  # trouble with another job in hand

    async def close(self) -> None:
        """Ends the worker at once, in any state; it owns nothing that could be lost."""
        worker, self._worker, self._loaded, self._reported_bytes = self._worker, None, None, 0
        if worker:
            await worker.end()

    async def _next_message(
        self, worker: WorkerProcess, oldest: InHand | None, deadline: Callable[[], float]
    ) -> Message | None:
        """The next message; None if the worker has reported trouble.

        Raises WorkerLostError if no more messages can come, or at the deadline. Messages that
        arrive in the meantime can postpone the deadline.
        """
        while True:
            # Leaves time to read what has arrived if the daemon was busy until the deadline.
            left = max(_LOOK_S, deadline() - self._clock())
            try:
                message = await within(left, worker.next_message())
            except asyncio.TimeoutError:
                if self._clock() < deadline():
                    continue
                break
            if message is None and worker.is_finished:
                raise await self._died(worker, oldest)
            return message
        await self.close()
        raise hung(worker, oldest)

    async def _require_sentinel(self, worker: WorkerProcess, oldest: InHand) -> None:
        """Until the sentinel is read, a message about this picture may still be on its way."""
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
        """Blames the job that was being computed, not one that was only being saved."""
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
        """macOS' report, which it may write a moment later."""
        ended = time.time()
        for _ in range(_LOOKS_FOR_REPORT if self._reports else 0):
            if report := jetsam_event(self._reports, pid, ended):
                return report
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        return None
