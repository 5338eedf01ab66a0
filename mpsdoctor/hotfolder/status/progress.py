"""Progress that no folder shows: the present picture, last results, worker and pause."""

import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from mpsdoctor.files import replace_file
from mpsdoctor.hotfolder.pause import Pause
from mpsdoctor.hotfolder.spool.names import readable
from mpsdoctor.hotfolder.status import events
from mpsdoctor.hotfolder.status.events import Event
from mpsdoctor.records import Record
from mpsdoctor.rendering.protocol import MOST_IN_HAND

logger = logging.getLogger(__name__)

_MOST_RESULTS = 10
_BETWEEN_STEPS_S = 0.3
_BETWEEN_HEARTBEATS_S = 2.0


class Current(Record):
    """Picture `number` of the `pictures` that the file `name` asks for, in its `attempt`.

    `step` of `steps` denoising steps are done; both are 0 before the first. `remaining_s` is the
    time until the last step.
    """

    job: str
    name: str
    number: int = 1
    pictures: int = 1
    attempt: int = 1
    step: int = 0
    steps: int = 0
    remaining_s: float | None = None


class Result(Record):
    """The result of a picture (`image`, `seconds`) or of a file (`error`, `error_file`).

    `at` is in seconds since 1970.
    """

    name: str
    at: float
    image: str | None = None
    seconds: float | None = None
    notes: tuple[str, ...] = ()
    remedy: str = ""
    error: str | None = None
    error_file: str | None = None


class Worker(Record):
    """The child process with the loaded model."""

    model: str
    device: str
    pid: int | None = None
    memory_bytes: int | None = None


class Progress(Record):
    """`heartbeat` is the daemon's last heartbeat, in seconds since 1970.

    `in_hand` has, in order, the pictures that the worker denoises now or next. `loading` is the
    model that is being loaded.
    """

    heartbeat: float | None = None
    loading: str | None = None
    in_hand: tuple[Current, ...] = ()
    results: tuple[Result, ...] = ()
    worker: Worker | None = None
    paused: Pause | None = None
    stopping: bool = False


def progress_after(progress: Progress, event: Event, now: float) -> Progress:
    """The progress after `event`, which happened at `now` seconds since 1970."""
    match event:
        case events.Loading(model=model):
            return replace(progress, loading=model)
        case events.Loaded(model=model, device=device, pid=pid):
            worker = Worker(model=model, device=device, pid=pid)
            return replace(progress, loading=None, worker=worker)
        case events.Rendering():
            return replace(progress, in_hand=(*progress.in_hand, _begun(event))[-MOST_IN_HAND:])
        case events.Stepped():
            return replace(progress, in_hand=_after_step(progress.in_hand, event))
        case events.Published(job=job, number=number):
            left = tuple(p for p in progress.in_hand if (p.job, p.number) != (job, number))
            return _with_result(replace(progress, in_hand=left), _published(event, now))
        case events.Rejected(job=job):
            left = tuple(picture for picture in progress.in_hand if picture.job != job)
            return _with_result(
                replace(progress, in_hand=left, loading=None), _rejected(event, now)
            )
        case events.Retrying():  # the other picture in hand was lost with the worker
            return replace(progress, in_hand=(), worker=None)
        case events.Unloaded():
            return replace(progress, in_hand=(), worker=None)
        case events.Paused(pause=pause):
            return replace(progress, in_hand=(), loading=None, paused=pause)
        case events.Resumed():
            return replace(progress, paused=None)
        case events.Stopping():
            return replace(progress, stopping=True)
        case events.Started() | events.Stopped():
            return Progress(results=progress.results)
        case events.Claimed() | events.Unmovable():
            return progress


def _begun(event: events.Rendering) -> Current:
    return Current(
        job=event.job,
        name=event.name,
        number=event.number,
        pictures=event.pictures,
        attempt=event.attempt,
    )


def _after_step(in_hand: tuple[Current, ...], event: events.Stepped) -> tuple[Current, ...]:
    """Pictures are denoised in order, so those before this one have been denoised."""
    places = [(picture.job, picture.number) for picture in in_hand]
    if (event.job, event.number) not in places:
        return in_hand
    first, *others = in_hand[places.index((event.job, event.number)) :]
    return replace(
        first, step=event.step, steps=event.steps, remaining_s=event.remaining_s
    ), *others


def _published(event: events.Published, now: float) -> Result:
    return Result(
        name=event.name,
        at=now,
        image=readable(str(event.image)),
        seconds=event.seconds,
        notes=event.notes,
        remedy=event.remedy,
    )


def _rejected(event: events.Rejected, now: float) -> Result:
    return Result(
        name=event.name, at=now, error=event.title, error_file=readable(str(event.error_file))
    )


def _with_result(progress: Progress, result: Result) -> Progress:
    return replace(progress, results=(*progress.results, result)[-_MOST_RESULTS:])


def read_progress(path: Path) -> Progress:
    """The progress in the file; an empty one if the file is missing or damaged."""
    with contextlib.suppress(OSError, ValueError):
        return msgspec.json.decode(path.read_bytes(), type=Progress)
    return Progress()


class ProgressFile:
    """Keeps the status file up to date, at most every 0.3 s while a picture is denoised.

    A lost or stale file does no harm, so nothing here is synced and nothing raises. `clock`
    is monotonic, `now` gives seconds since 1970. Results of an earlier daemon are kept.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._clock = clock
        self._now = now
        self._progress = Progress(results=read_progress(path).results)
        self._written_at = float("-inf")
        self._refused = False

    def update(self, event: Event) -> None:
        """Adds `event` to the progress."""
        progress = progress_after(self._progress, event, self._now())
        changed, self._progress = progress != self._progress, progress
        if changed and not (isinstance(event, events.Stepped) and self._is_early(_BETWEEN_STEPS_S)):
            self._write()

    def heartbeat(self, pid: int | None = None, memory_bytes: int | None = None) -> None:
        """Updates the heartbeat and the worker's process. Call it at least every 5 s.

        It writes nothing within 2 s of the last write.
        """
        if worker := self._progress.worker:
            present = replace(worker, pid=pid, memory_bytes=memory_bytes) if pid else None
            self._progress = replace(self._progress, worker=present)
        if not self._is_early(_BETWEEN_HEARTBEATS_S):
            self._write()

    def _is_early(self, pause: float) -> bool:
        return self._clock() - self._written_at < pause

    def _write(self) -> None:
        self._written_at = self._clock()
        self._progress = replace(self._progress, heartbeat=self._now())
        try:
            replace_file(self._path, msgspec.json.encode(self._progress))
            self._refused = False
        except OSError as error:
            if not self._refused:
                logger.warning("the status file cannot be written: %s", error)
            self._refused = True
