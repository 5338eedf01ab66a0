"""The worker: one warm child process, watched, ended and replaced.

It is spawned (fork and exec at once), never forked: Metal does not survive a fork. It stays in
the daemon's process group, so that launchd ends it together with the daemon.
"""

import asyncio
import contextlib
import logging
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.endings import describe_ending
from mpsdoctor.hotfolder.orphan import record_worker
from mpsdoctor.profile.model import Profile
from mpsdoctor.rendering.protocol import (
    Command,
    Configure,
    Failed,
    Message,
    Ready,
    Refused,
    Rendered,
    RenderJob,
    Step,
    message_from_line,
    to_line,
)

logger = logging.getLogger(__name__)

WORKER: Final = (sys.executable, "-X", "faulthandler", "-m", "mpsdoctor.rendering.worker")
_LONGEST_LINE: Final = 1 << 20
_LONGEST_TAIL: Final = 4096
_LAST_LINES: Final = 12
_GRACE_S: Final = 2.0

_T = TypeVar("_T")


class WorkerLostError(MpsDoctorError):
    """The worker ended, or had to be ended, before it answered."""


def worker_environment(profile: Profile, environ: Mapping[str, str]) -> dict[str, str]:
    """The profile's variables under the user's own; rendering a prompt never downloads."""
    return {**profile.environment, **environ, "HF_HUB_OFFLINE": "1"}


class Supervisor:
    """Owns at most one worker; `silence` is how many seconds it may say nothing while it works."""

    def __init__(
        self,
        command: Sequence[str],
        profile: Profile,
        environ: Mapping[str, str],
        *,
        silence: float,
        record: Path,
    ) -> None:
        self._command = command
        self._profile = profile
        self._environ = worker_environment(profile, environ)
        self._silence = silence
        self._record = record
        self._worker: _Worker | None = None

    async def load(self) -> Ready | None:
        """Starts a worker and waits for its model; None where a warm one is there already.

        Raises MpsDoctorError where the model cannot be loaded.
        """
        if self._worker and self._worker.process.returncode is None:
            return None
        await self.close()
        worker = self._worker = await _spawn(self._command, self._environ)
        record_worker(self._record, worker.process.pid)
        await self._send(worker, Configure(profile=self._profile))
        while True:
            match await self._receive(worker, "while it loaded the model"):
                case Ready() as ready:
                    return ready
                case Refused(title=title, detail=detail, hint=hint):
                    await self.close()
                    raise MpsDoctorError(title, detail=detail, hint=hint)
                case unexpected:
                    logger.warning("the worker is not loaded yet but says %r", unexpected)

    async def render(self, job: RenderJob, on_step: Callable[[Step], None]) -> Rendered | Failed:
        """Has the loaded worker render `job`. Raises WorkerLostError; then there is no worker."""
        worker = self._worker
        assert worker, "load comes before render"
        await self._send(worker, job)
        while True:
            match await self._receive(worker, "while it rendered"):
                case Step() as step if step.job == job.job:
                    on_step(step)
                case (Rendered() | Failed()) as answer if answer.job == job.job:
                    return answer
                case unexpected:
                    logger.warning("the worker has another job but says %r", unexpected)

    async def close(self) -> None:
        """Ends the worker at once, wherever it is; it owns nothing that could be lost."""
        worker, self._worker = self._worker, None
        if worker:
            await worker.end()

    async def _send(self, worker: "_Worker", command: Command) -> None:
        assert worker.process.stdin
        # A worker that has gone shows when its answer is awaited.
        with contextlib.suppress(ConnectionError):
            worker.process.stdin.write(to_line(command))
            await self._heard(worker, worker.process.stdin.drain(), "before it took its task")

    async def _receive(self, worker: "_Worker", when: str) -> Message:
        assert worker.process.stdout
        while True:
            line = await self._heard(worker, worker.process.stdout.readline(), when)
            if not line:
                raise await self._lost(worker, f"The worker was lost {when}")
            try:
                return message_from_line(line)
            except ValueError:
                logger.warning("the worker printed %r", line)

    async def _heard(self, worker: "_Worker", work: Coroutine[Any, Any, _T], when: str) -> _T:
        try:
            return await within(self._silence, work)
        except asyncio.TimeoutError:
            ending = f"It said nothing for {self._silence:g} seconds and was ended."
            raise await self._lost(worker, f"The worker hung {when}", ending) from None

    async def _lost(self, worker: "_Worker", title: str, ending: str = "") -> WorkerLostError:
        if not ending:
            await worker.exited(_GRACE_S)
            ending = describe_ending(worker.process.returncode)
        await self.close()
        last = "\n".join(worker.last_lines)
        return WorkerLostError(
            title,
            detail=f"{ending}\nIts last words:\n{last}" if last else ending,
            hint="Run mpsdoctor check. A smaller picture needs less memory.",
        )


@dataclass(frozen=True)
class _Worker:
    process: Process
    last_lines: "deque[str]"
    drain: "asyncio.Task[None]"

    async def exited(self, seconds: float) -> None:
        """Waits until the process has ended, at most so long."""
        with contextlib.suppress(asyncio.TimeoutError):
            await within(seconds, self.process.wait())

    async def end(self) -> None:
        """Kills the process and reads its complaints to their end."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.exited(_GRACE_S)
        await asyncio.wait({self.drain}, timeout=_GRACE_S)
        self.drain.cancel()


async def _spawn(command: Sequence[str], environ: Mapping[str, str]) -> _Worker:
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environ, limit=_LONGEST_LINE
        )
    except OSError as error:
        raise MpsDoctorError(
            "The worker cannot be started",
            detail=f"{command[0]}: {error.strerror}.",
            hint="Install mpsdoctor again, with the extra render.",
        ) from error
    assert process.stderr
    last_lines: deque[str] = deque(maxlen=_LAST_LINES)
    drain = asyncio.create_task(_drain(process.stderr, last_lines))
    return _Worker(process, last_lines, drain)


async def _drain(stderr: asyncio.StreamReader, last_lines: "deque[str]") -> None:
    """Reads what the worker complains about; progress bars end their lines with a return."""
    rest = ""
    while chunk := await stderr.read(4096):
        *lines, rest = re.split(r"[\r\n]+", rest + chunk.decode("utf-8", "replace"))
        for line in filter(None, lines):
            logger.info("worker: %s", line)
            last_lines.append(line)
        rest = rest[-_LONGEST_TAIL:]
    if rest:
        last_lines.append(rest)


async def within(seconds: float, work: Coroutine[Any, Any, _T]) -> _T:
    """Like `asyncio.wait_for`, which before Python 3.12 can swallow a cancellation.

    Raises asyncio.TimeoutError.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            raise asyncio.TimeoutError
        return task.result()
    finally:
        task.cancel()
