"""`mpsdoctor watch`: from a dropped file to a published image."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.inbox.inbox import Inbox
from mpsdoctor.hotfolder.inbox.observer import InboxObserver
from mpsdoctor.hotfolder.inbox.stability import settle_seconds
from mpsdoctor.hotfolder.machine.monitor import Machine
from mpsdoctor.hotfolder.pause import Pause, PauseError, pause_for
from mpsdoctor.hotfolder.queue import Queue
from mpsdoctor.hotfolder.renderer import Renderer
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.lock import Hold, locked
from mpsdoctor.hotfolder.spool.spool import Spool
from mpsdoctor.hotfolder.status import events
from mpsdoctor.hotfolder.status.events import Event
from mpsdoctor.hotfolder.status.progress import ProgressFile
from mpsdoctor.hotfolder.worker.orphan import end_orphan
from mpsdoctor.hotfolder.worker.process import within
from mpsdoctor.hotfolder.worker.supervisor import WORKER, Supervisor
from mpsdoctor.hotfolder.worker.timeouts import Timeouts
from mpsdoctor.profile.settings import Profile

# Control-C, and the end of the terminal. In a script, `&` starts programs with SIGINT ignored, and
# `nohup` does so with SIGHUP: then both stay ignored.
_IGNORABLE: Final = (signal.SIGINT, signal.SIGHUP)
_COALESCE_S: Final = 0.02
_HEARTBEAT_S: Final = 2.0
_LONGEST_RETRY_S: Final = 120.0


@dataclass(frozen=True)
class Intervals:
    """How long the daemon waits, in seconds.

    A file is claimed when it has not changed for `settle` (None: the default for its volume). An
    empty file or a folder needs `settle_empty` instead. The inbox is scanned every `rescan`, even
    without file events. A paused queue tries again after `retry`, then less and less often. While
    there is work, the machine's condition is read every `look`. `worker` has the worker's timeouts.
    """

    settle: float | None = None
    settle_empty: float = 30.0
    rescan: float = 5.0
    retry: float = 10.0
    look: float = 10.0
    worker: Timeouts = field(default_factory=Timeouts)


def watch(
    root: Path,
    profiles: Sequence[Profile],
    *,
    environ: Mapping[str, str],
    on_event: Callable[[Event], None],
    worker: Sequence[str] = WORKER,
    intervals: Intervals = Intervals(),
) -> None:
    """Renders what is dropped into `root`/inbox until SIGTERM, SIGINT or SIGHUP.

    Each profile is for one model; the first one renders prompts that name no model.

    SIGINT and SIGHUP stay ignored if they were before. SIGUSR1 ends it after the pictures in hand.
    Call it in the main thread. Raises MpsDoctorError if the folder cannot be used or is already
    watched; no dropped file is lost then.
    """
    layout = Layout(root)
    layout.create()
    try:
        with locked(layout) as hold:
            layout.check()
            end_orphan(layout.worker_file)
            supervisor = Supervisor(
                worker, environ, record=layout.worker_file, timeouts=intervals.worker
            )
            asyncio.run(Daemon(hold, layout, profiles, supervisor, on_event, intervals).run())
    except OSError as error:
        raise MpsDoctorError(
            f"The hot folder {root} can no longer be used",
            detail=str(error),
            hint="Check that its disk is connected and has space, then start mpsdoctor watch.",
        ) from error


class Daemon:
    """The loop behind `watch`: renders what is there, waits if nothing is, or pauses."""

    def __init__(
        self,
        hold: Hold,
        layout: Layout,
        profiles: Sequence[Profile],
        supervisor: Supervisor,
        on_event: Callable[[Event], None],
        intervals: Intervals,
    ) -> None:
        self._hold = hold
        self._layout = layout
        self._on_event = on_event
        self._intervals = intervals
        self._supervisor = supervisor
        self._progress = ProgressFile(layout.status_file)
        self._machine = Machine(layout.root, look=intervals.look)
        spool = Spool(layout)
        self._inbox = Inbox(
            spool,
            settle=intervals.settle or settle_seconds(layout.root),
            settle_empty=intervals.settle_empty,
            on_unmovable=lambda name, error: self._tell(
                events.Unmovable(name, error.strerror or str(error))
            ),
        )
        self._queue = Queue(spool, self._inbox, profiles, self._tell)
        self._renderer = Renderer(
            self._queue,
            supervisor,
            profiles[0].model,
            self._tell,
            reason_to_stop=self._machine.reason_to_stop,
            may_begin=self._may_begin,
            on_loaded=self._machine.worker_started,
        )
        self._wake = asyncio.Event()
        self._paused: Pause | None = None
        self._retry_s = intervals.retry
        self._idle_since: float | None = None
        self._started = False
        self._stopping = False
        self._draining = False

    async def run(self) -> None:
        """Runs until a signal comes. Raises OSError if waiting would not help."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task
        heeded = [one for one in _IGNORABLE if signal.getsignal(one) is not signal.SIG_IGN]
        for ending in (signal.SIGTERM, *heeded):
            loop.add_signal_handler(ending, self._stop, task)
        loop.add_signal_handler(signal.SIGUSR1, self._drain, task)

        def wake() -> None:
            loop.call_soon_threadsafe(self._wake.set)

        observer = InboxObserver(self._layout.inbox, wake)
        heartbeat = asyncio.create_task(self._heartbeat())
        try:
            await self._serve(observer)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        finally:
            heartbeat.cancel()
            await self._renderer.abandon()
            await self._renderer.unload()
            self._machine.rest()
            observer.close()
        self._tell(events.Stopped())

    def _stop(self, task: "asyncio.Task[None]") -> None:
        if not self._stopping:
            self._stopping = True
            task.cancel()

    def _drain(self, task: "asyncio.Task[None]") -> None:
        self._draining = True
        self._tell(events.Stopping())
        if not self._renderer.in_hand:
            self._stop(task)

    async def _serve(self, observer: InboxObserver) -> None:
        while self._renderer.in_hand or not self._draining:
            observer.check()
            try:
                await self._turn()
            except PauseError as error:
                await self._pause(error.pause)
            except OSError as error:
                if not (reason := pause_for(error)):
                    raise
                self._queue.must_resume = True
                await self._pause(reason)

    async def _turn(self) -> None:
        """Renders one picture, or waits for one."""
        if gone := self._hold.restore():
            self._queue.must_resume = True
            raise PauseError(gone)
        if self._renderer.in_hand:
            await self._renderer.finish_oldest()
            self._retry_s = self._intervals.retry
            return None
        if self._queue.must_resume:
            self._resume()
        task = self._queue.next(time.monotonic(), self._renderer.in_hand)
        if not task:
            self._end_pause()
            self._retry_s = self._intervals.retry
            return await self._rest()
        if reason := await self._machine.reason_to_pause(loaded=self._supervisor.pid is not None):
            raise PauseError(reason)
        self._idle_since = None
        await self._end_worker(idle_s=0.0)
        self._machine.work()
        await self._renderer.begin(task)
        return self._end_pause()

    def _resume(self) -> None:
        resumed = self._queue.resume()
        if not self._started:
            self._started = True
            self._tell(events.Started(self._layout.root, resumed))

    def _may_begin(self) -> bool:
        """Whether another picture may begin while one is in hand."""
        pictures = self._renderer.rendered + len(self._renderer.in_hand)
        return not self._draining and self._machine.may_continue(pictures=pictures)

    async def _rest(self) -> None:
        """Waits until the inbox is worth another look."""
        now = time.monotonic()
        if self._queue.has_waiting(now):
            return await asyncio.sleep(0)  # for signals and the heartbeat
        if self._inbox.due(now) is None:
            self._machine.rest()
        else:
            self._machine.stand_by()
        await self._end_worker(idle_s=self._idle_s())
        due = self._inbox.due(time.monotonic())
        return await self._wait(
            self._intervals.rescan if due is None else min(due, self._intervals.rescan)
        )

    def _idle_s(self) -> float:
        """Seconds since the worker last had work."""
        now = time.monotonic()
        self._idle_since = self._idle_since or now
        return now - self._idle_since

    async def _end_worker(self, *, idle_s: float) -> None:
        """Ends the worker if it is time to: nothing else gives its memory back."""
        if self._supervisor.pid is None:
            return
        pictures = self._renderer.rendered
        if reason := await self._machine.reason_to_end_worker(idle_s=idle_s, pictures=pictures):
            await self._renderer.unload(reason)

    async def _wait(self, seconds: float) -> None:
        """Waits for `seconds`, or until something happens in the inbox."""
        with contextlib.suppress(asyncio.TimeoutError):
            await within(seconds, self._wake.wait())
            await asyncio.sleep(_COALESCE_S)
        self._wake.clear()

    async def _pause(self, reason: Pause) -> None:
        """Drops what is in hand and waits, longer each time until a picture is done."""
        await self._renderer.abandon()
        if reason.kind == "memory":
            await self._renderer.unload("memory is short")
        self._machine.rest()
        if reason != self._paused:
            self._paused = reason
            self._tell(events.Paused(reason))
        await self._end_worker(idle_s=self._idle_s())
        if self._draining:
            return
        await asyncio.sleep(self._retry_s)
        self._retry_s = min(2 * self._retry_s, _LONGEST_RETRY_S)

    def _end_pause(self) -> None:
        if self._paused:
            self._paused = None
            self._tell(events.Resumed())

    async def _heartbeat(self) -> None:
        while True:
            self._progress.heartbeat(self._supervisor.pid, self._supervisor.memory_bytes)
            await asyncio.sleep(_HEARTBEAT_S)

    def _tell(self, event: Event) -> None:
        self._progress.update(event)
        self._on_event(event)
