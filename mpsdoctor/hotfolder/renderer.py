"""The pictures that the worker has in hand, and what its answers mean for the queue."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.pause import Kind, Pause, PauseError
from mpsdoctor.hotfolder.queue import Queue, Task
from mpsdoctor.hotfolder.spool.images import record_in_picture
from mpsdoctor.hotfolder.status import events
from mpsdoctor.hotfolder.status.eta import picture_remaining
from mpsdoctor.hotfolder.status.events import Event
from mpsdoctor.hotfolder.worker.failures import WorkerLostError
from mpsdoctor.hotfolder.worker.supervisor import RefusedError, Supervisor
from mpsdoctor.rendering.protocol import MOST_IN_HAND, Failed, Rendered, RenderJob, Started, Step

_PAUSE_AFTER_FAILURES: Final = 3

_T = TypeVar("_T")

ReasonToStop = Callable[[], Awaitable[Pause]]
"""Returns when the present picture must be stopped, and says why."""


class Renderer:
    """Has at most two pictures in hand: the second begins while the first is decoded.

    `may_begin` says whether another picture may begin ahead; `on_loaded` is called for each new
    worker. All methods raise PauseError, and OSError if the hot folder's disk refuses.
    """

    def __init__(
        self,
        queue: Queue,
        supervisor: Supervisor,
        own_model: str,
        tell: Callable[[Event], None],
        reason_to_stop: ReasonToStop,
        may_begin: Callable[[], bool],
        on_loaded: Callable[[], None],
    ) -> None:
        self._queue = queue
        self._supervisor = supervisor
        self._own_model = own_model
        self._tell = tell
        self._reason_to_stop = reason_to_stop
        self._may_begin = may_begin
        self._on_loaded = on_loaded
        self.in_hand: deque[Task] = deque()
        self.rendered = 0
        """How many pictures the present worker has rendered."""
        self._steps_done: list[tuple[int, float]] = []
        self._failed_alike: list[str] = []
        """The signature of each picture given up since the last success; all are the same."""

    async def begin(self, task: Task) -> None:
        """Gives `task` to a worker with its model loaded."""
        if await self._load(task):
            await self._hand_over(task)

    async def finish_oldest(self) -> None:
        """Waits for the oldest picture in hand, then publishes it, retries it or gives it up."""
        task = self.in_hand[0]
        try:
            answer = await self._unless_stopped(self._supervisor.answer(self._on_progress))
        except WorkerLostError as loss:
            await self._lost(self._blamed(loss.job), loss.signature, loss)
            return
        except PauseError as stop:
            if stop.pause.kind == "memory":
                computed = self._blamed(self._supervisor.computed)
                await self._lost(computed, "memory pressure", _short_of_memory(stop.pause))
            raise
        match answer:
            case Rendered() if self._is_complete(task):
                self.rendered += 1
                self._failed_alike.clear()
                self.in_hand.popleft()
                self._queue.note_cure(task, answer.fallback)
                self._queue.publish(task, answer.seconds, answer.notes, answer.remedy)
            case Rendered():
                await self._lost(task, "broken file", _incomplete())
            case Failed(cause="memory"):
                await self._lost(task, "out of memory", _error_of(answer))
            case Failed(cause="disk" | "gpu" as kind):
                raise PauseError(Pause(kind=kind, title=answer.title, hint=answer.hint))
            case Failed():
                self._queue.give_up(task, _error_of(answer))
                self.in_hand.popleft()

    async def abandon(self) -> None:
        """Ends a worker that has pictures in hand; their attempts do not count."""
        if self.in_hand:
            await self.unload()
        while self.in_hand:
            self._queue.give_back(self.in_hand.popleft())

    async def unload(self, reason: str = "") -> None:
        """Ends the worker, if there is one; reports the `reason`, if one is given."""
        if reason and self._supervisor.pid:
            self._tell(events.Unloaded(reason))
        await self._supervisor.close()
        self.rendered = 0

    async def _load(self, task: Task) -> bool:
        if self._supervisor.model != task.profile.model:
            self._tell(events.Loading(task.profile.model))
        try:
            ready = await self._unless_stopped(self._supervisor.load(task.profile))
        except RefusedError as refusal:
            if refusal.cause == "gpu":
                raise PauseError(_pause_over("gpu", refusal)) from refusal
            if self._is_own_model(task):
                raise PauseError(_pause_over("model", refusal)) from refusal
            self._queue.give_up(task, refusal)
            return False
        except WorkerLostError as loss:
            if self._is_own_model(task):
                raise PauseError(_pause_over("model", loss)) from loss
            self._lose(task, loss.signature, loss)
            return False
        except PauseError:
            await self.unload()
            raise
        if ready:
            self.rendered = 0
            self._on_loaded()
            self._tell(events.Loaded(ready.model, ready.device, self._supervisor.pid))
        return True

    async def _hand_over(self, task: Task) -> None:
        command = self._queue.begin(task)
        self.in_hand.append(task)
        await self._supervisor.submit(command)

    async def _on_progress(self, progress: Started | Step) -> None:
        task = self._task(progress.job, progress.number)
        if isinstance(progress, Started):
            self._steps_done = []
            return
        self._steps_done.append((progress.step, time.monotonic()))
        remaining_s = picture_remaining(progress.steps, self._steps_done)
        self._tell(
            events.Stepped(
                task.job.id, task.job.name, task.number, progress.step, progress.steps, remaining_s
            )
        )
        await self._look_ahead(begin=progress.step == progress.steps)

    def _task(self, job: str, number: int) -> Task:
        return next(task for task in self.in_hand if (task.job.id, task.number) == (job, number))

    async def _look_ahead(self, *, begin: bool) -> None:
        """Claims the next picture, and hands it over at the last step.

        The worker then need not wait while this one is decoded, saved and published. If the disk
        refuses, the picture in hand is finished even so.
        """
        in_hand = len(self.in_hand)
        if in_hand >= MOST_IN_HAND or self._queue.must_resume or not self._may_begin():
            return
        try:
            task = self._queue.next(time.monotonic(), self.in_hand)
            if begin and task and task.profile == self.in_hand[0].profile:
                await self._hand_over(task)
        except OSError:
            self._queue.must_resume = True

    def _is_own_model(self, task: Task) -> bool:
        """Whether this is the model of all prompts that name no other."""
        return task.profile.model == self._own_model

    def _blamed(self, computed: RenderJob | None) -> Task:
        """The picture that was being computed; before any is, the oldest in hand."""
        return self._task(computed.job, computed.number) if computed else self.in_hand[0]

    async def _lost(self, blamed: Task, signature: str, reason: MpsDoctorError) -> None:
        """Any other picture in hand is rendered again, and its attempt does not count."""
        await self.unload()
        tasks = list(self.in_hand)
        self.in_hand.clear()
        for task in tasks:
            if task is not blamed:
                self._queue.give_back(task)
        self._lose(blamed, signature, reason)

    def _lose(self, blamed: Task, signature: str, reason: MpsDoctorError) -> None:
        """Raises PauseError if several pictures in a row end with this `signature`.

        A GPU that fails at everything would otherwise empty the inbox into `failed/` overnight.
        The pause before the next picture gets longer until one succeeds.
        """
        if not self._queue.lose(blamed, signature, reason):
            return
        if self._failed_alike[-1:] != [signature]:
            self._failed_alike.clear()
        self._failed_alike.append(signature)
        if len(self._failed_alike) >= _PAUSE_AFTER_FAILURES:
            raise PauseError(_all_alike(len(self._failed_alike), reason))

    def _is_complete(self, task: Task) -> bool:
        record = record_in_picture(self._queue.picture(task))
        return record is not None and (record.job, record.picture) == (task.job.id, task.number)

    async def _unless_stopped(self, work: Coroutine[Any, Any, _T]) -> _T:
        working = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._reason_to_stop())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise PauseError(stopping.result())
        finally:
            working.cancel()
            stopping.cancel()


def _pause_over(kind: Kind, error: MpsDoctorError) -> Pause:
    return Pause(kind=kind, title=error.title, hint=error.hint)


def _error_of(answer: Failed) -> MpsDoctorError:
    return MpsDoctorError(answer.title, detail=answer.detail, hint=answer.hint)


def _all_alike(pictures: int, reason: MpsDoctorError) -> Pause:
    return Pause(
        kind="gpu",
        title=f"{pictures} pictures in a row failed in the same way: {reason.title}",
        hint="The next one is tried after a pause. If the prompts have something in common, see "
        "failed/ for what to change. Otherwise restart the Mac and run `mpsdoctor check`.",
    )


def _short_of_memory(reason: Pause) -> MpsDoctorError:
    """The first time, other programs may be the cause; the second time it is the picture."""
    return MpsDoctorError(
        f"{reason.title}, in the middle of this picture",
        detail="It was stopped to keep the Mac responsive.",
        hint=f"{reason.hint} A smaller picture needs less: `mpsdoctor plan` says how much.",
    )


def _incomplete() -> MpsDoctorError:
    return MpsDoctorError(
        "The worker's picture is incomplete",
        detail="The file that it wrote is not a complete PNG of this job.",
        hint="Check that the disk has free space.",
    )
