"""`mpsdoctor watch`: from a dropped file to a published image."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder import events
from mpsdoctor.hotfolder.events import Event
from mpsdoctor.hotfolder.inbox import Inbox
from mpsdoctor.hotfolder.intake import read_dropped
from mpsdoctor.hotfolder.layout import Layout
from mpsdoctor.hotfolder.lock import locked
from mpsdoctor.hotfolder.observer import InboxObserver
from mpsdoctor.hotfolder.orphan import end_orphan
from mpsdoctor.hotfolder.pictures import job_in_picture
from mpsdoctor.hotfolder.recovery import recover
from mpsdoctor.hotfolder.spool import Job, Spool
from mpsdoctor.hotfolder.status import ProgressFile
from mpsdoctor.hotfolder.supervisor import WORKER, Supervisor, WorkerLostError, within
from mpsdoctor.profile.model import Profile
from mpsdoctor.rendering.protocol import Failed, Rendered, RenderJob, Step

MAX_ATTEMPTS: Final = 3

# Closing the terminal's window sends SIGHUP.
_ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_COALESCE_S: Final = 0.05


@dataclass(frozen=True)
class Pace:
    """How long the daemon waits, in seconds.

    A file must rest for `settle` (for `patience` if it is empty, or a folder) before it is
    claimed; the inbox is looked at every `rescan`, events or not; a worker may be silent for
    `silence` while it loads or renders.
    """

    settle: float = 1.0
    patience: float = 30.0
    rescan: float = 5.0
    silence: float = 600.0


def watch(
    root: Path,
    profile: Profile,
    *,
    environ: Mapping[str, str],
    on_event: Callable[[Event], None],
    worker: Sequence[str] = WORKER,
    pace: Pace = Pace(),
) -> None:
    """Renders what is dropped into `root`/inbox until SIGTERM, SIGINT or SIGHUP comes.

    To be called in the main thread. Raises MpsDoctorError where the folder cannot be used or is
    watched already, and where the model cannot be loaded; nothing that was dropped is lost then.
    """
    layout = Layout(root)
    layout.create()
    try:
        with locked(layout.lock_file):
            layout.check()
            end_orphan(layout.worker_file)
            supervisor = Supervisor(
                worker, profile, environ, silence=pace.silence, record=layout.worker_file
            )
            asyncio.run(Daemon(layout, supervisor, on_event, pace).run())
    except OSError as error:
        raise MpsDoctorError(
            f"The hot folder {root} cannot be used any more",
            detail=str(error),
            hint="Check that its disk is connected and has space, then start mpsdoctor watch.",
        ) from error


class Daemon:
    """The loop behind `watch`. It is interrupted only where it waits for inbox or worker."""

    def __init__(
        self,
        layout: Layout,
        supervisor: Supervisor,
        on_event: Callable[[Event], None],
        pace: Pace,
    ) -> None:
        self._layout = layout
        self._supervisor = supervisor
        self._on_event = on_event
        self._pace = pace
        self._spool = Spool(layout)
        self._progress = ProgressFile(layout.status_file)
        self._inbox = Inbox(
            self._spool,
            settle=pace.settle,
            patience=pace.patience,
            on_unmovable=lambda name, error: self._tell(
                events.Unmovable(name, error.strerror or str(error))
            ),
        )
        self._wake = asyncio.Event()
        self._stopping = False

    async def run(self) -> None:
        """Until a signal comes. Raises MpsDoctorError and OSError."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task
        for ending in _ENDING:
            loop.add_signal_handler(ending, self._stop, task)

        def wake() -> None:
            loop.call_soon_threadsafe(self._wake.set)

        observer = InboxObserver(self._layout.inbox, wake)
        try:
            await self._serve(observer)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        finally:
            await self._supervisor.close()
            observer.close()
        self._tell(events.Stopped())

    def _stop(self, task: "asyncio.Task[None]") -> None:
        if not self._stopping:
            self._stopping = True
            task.cancel()

    async def _serve(self, observer: InboxObserver) -> None:
        left_over = recover(self._spool)
        self._tell(events.Started(self._layout.root, len(left_over)))
        await self._load()
        for job in left_over:
            await self._process(job)
        while True:
            observer.check()
            if claimed := self._inbox.claim(time.monotonic()):
                self._tell(events.Claimed(claimed.id, claimed.name))
                await self._process(claimed)
            else:
                await self._rest()

    async def _rest(self) -> None:
        """Until the inbox is worth another look."""
        seconds = self._pace.settle / 2 if self._inbox.is_settling else self._pace.rescan
        with contextlib.suppress(asyncio.TimeoutError):
            await within(seconds, self._wake.wait())
        await asyncio.sleep(_COALESCE_S)
        self._wake.clear()

    async def _load(self) -> None:
        if ready := await self._supervisor.load():
            self._tell(events.Loaded(ready.model, ready.device))

    async def _process(self, job: Job) -> None:
        """Takes a job to its end: `done/` or `failed/`."""
        try:
            prompt = read_dropped(self._spool.prompt(job), job.name)
        except MpsDoctorError as not_a_prompt:
            return self._reject(job, not_a_prompt)
        reason = _interrupted_too_often(job)
        while job.attempts < MAX_ATTEMPTS:
            await self._load()
            job = self._spool.begin_attempt(job)
            try:
                answer = await self._attempt(job, prompt)
            except WorkerLostError as loss:
                reason = _lost_too_often(job, loss)
                if job.attempts < MAX_ATTEMPTS:
                    self._tell(
                        events.Retrying(job.id, job.name, job.attempts, loss.title, loss.detail)
                    )
                continue
            if isinstance(answer, Rendered):
                return self._publish(job, answer)
            reason = MpsDoctorError(answer.title, detail=answer.detail, hint=answer.hint)
            break
        return self._reject(job, reason)

    async def _attempt(self, job: Job, prompt: str) -> Rendered | Failed:
        """Raises WorkerLostError also for a picture that is not whole."""
        picture = self._spool.picture(job)
        self._tell(events.Rendering(job.id, job.name, job.attempts))

        def on_step(step: Step) -> None:
            self._tell(events.Stepped(job.id, job.name, step.step, step.steps))

        command = RenderJob(job=job.id, prompt=prompt, seed=job.seed, output=str(picture))
        try:
            answer = await self._supervisor.render(command, on_step)
        except asyncio.CancelledError:
            self._spool.give_back_attempt(job)
            raise
        if isinstance(answer, Rendered) and job_in_picture(picture) != job.id:
            raise WorkerLostError(
                "The worker's picture is not whole",
                detail="The file that it wrote is no complete PNG of this job.",
                hint="Check that the disk has space left.",
            )
        return answer

    def _publish(self, job: Job, answer: Rendered) -> None:
        self._layout.restore()
        image = self._spool.publish(job)
        self._spool.finish(job)
        self._tell(events.Published(job.id, job.name, image, answer.seconds))

    def _reject(self, job: Job, reason: MpsDoctorError) -> None:
        self._layout.restore()
        error_file = self._spool.fail(job, reason)
        self._tell(events.Rejected(job.id, job.name, reason.title, error_file))

    def _tell(self, event: Event) -> None:
        self._progress.update(event)
        self._on_event(event)


def _lost_too_often(job: Job, loss: WorkerLostError) -> MpsDoctorError:
    return MpsDoctorError(
        loss.title,
        detail=f"It was tried {job.attempts} times; the last time:\n{loss.detail}",
        hint=loss.hint,
    )


def _interrupted_too_often(job: Job) -> MpsDoctorError:
    return MpsDoctorError(
        f"mpsdoctor was cut off {job.attempts} times in the middle of this prompt",
        detail="Perhaps the Mac ran out of memory, or lost power. It is not tried again, so that "
        "the other prompts get their turn.",
        hint="To try it all the same, move the file back into inbox.",
    )
