"""One worker process: its input, its output, and its end.

It is started by fork and exec, never by fork alone: Metal does not survive a fork. It stays in
the daemon's process group, so that launchd ends both together.
"""

import asyncio
import contextlib
import logging
import re
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.worker.timeouts import Timing
from mpsdoctor.knowledge.messages import KnownMessage, on_stderr
from mpsdoctor.rendering.protocol import (
    Command,
    Message,
    RenderJob,
    Started,
    Step,
    message_from_line,
    sentinel,
    to_line,
)
from mpsdoctor.units import MIB

logger = logging.getLogger(__name__)

_LONGEST_LINE: Final = MIB
_LONGEST_TAIL: Final = 4096
_LAST_LINES: Final = 24
_LONGEST_SHOWN: Final = 300
_GRACE_S: Final = 2.0

_T = TypeVar("_T")


@dataclass
class InHand:
    """A job that the process has; `passed` is set when its computation is over.

    Jobs are computed one after the other, so until then a message on stderr is about this job.
    """

    timing: Timing
    passed: asyncio.Event = field(default_factory=asyncio.Event)
    trouble: KnownMessage | None = None

    @property
    def job(self) -> RenderJob:
        """The job as it was submitted."""
        return self.timing.job


class WorkerProcess:
    """A running process, the jobs that it has in hand, and its output.

    `trouble` is a known message that it printed on stderr while it had nothing to compute.
    """

    def __init__(self, process: Process, clock: Callable[[], float]) -> None:
        self.process = process
        self.in_hand: deque[InHand] = deque()
        self.trouble: KnownMessage | None = None
        self.last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._clock = clock
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue()
        self._closed = False
        self._reading = {
            asyncio.create_task(self._read_messages()),
            asyncio.create_task(self._read_stderr()),
        }

    @property
    def is_alive(self) -> bool:
        """Whether it can take another job."""
        return self.process.returncode is None and not self._closed

    @property
    def computed(self) -> InHand | None:
        """The job that it computes now; None if it only saves pictures."""
        return next((held for held in self.in_hand if not held.passed.is_set()), None)

    def send(self, command: Command) -> None:
        """Does not wait. If the worker has ended, `next_message` shows that."""
        assert self.process.stdin
        if isinstance(command, RenderJob):
            self.in_hand.append(InHand(Timing(command, self._clock())))
        self.process.stdin.write(to_line(command))

    @property
    def is_finished(self) -> bool:
        """Whether its output has ended and every message has been taken."""
        return self._closed and self._messages.empty()

    async def next_message(self) -> Message | None:
        """The next message; None if it has reported trouble or its output has ended."""
        return await self._messages.get()

    async def end(self) -> None:
        """Kills the process and reads the rest of its output."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.ended()
        for task in self._reading:
            task.cancel()

    async def ended(self) -> None:
        """Waits briefly until it has ended and all is read: a child may keep the pipes open."""
        with contextlib.suppress(asyncio.TimeoutError):
            await within(_GRACE_S, self.process.wait())
        await asyncio.wait(self._reading, timeout=_GRACE_S)

    async def _read_messages(self) -> None:
        assert self.process.stdout
        while line := await self.process.stdout.readline():
            try:
                message = message_from_line(line)
            except ValueError:
                logger.debug("the worker printed %r", line)
                continue
            if isinstance(message, Started | Step):
                self._note_progress(message)
            self._messages.put_nowait(message)
        self._closed = True
        self._messages.put_nowait(None)

    def _note_progress(self, message: Started | Step) -> None:
        for held in self.in_hand:
            if (held.job.job, held.job.number) == (message.job, message.number):
                held.timing.note(message, self._clock())

    async def _read_stderr(self) -> None:
        """Progress bars end their lines with a carriage return."""
        assert self.process.stderr
        rest = ""
        while chunk := await self.process.stderr.read(4096):
            *lines, rest = re.split(r"[\r\n]+", rest + chunk.decode("utf-8", "replace"))
            for line in filter(None, lines):
                self._note_line(line)
            rest = rest[-_LONGEST_TAIL:]
        if rest:
            self._note_line(rest)

    def _note_line(self, line: str) -> None:
        computed = self.computed
        if computed and line == sentinel(computed.job.job, computed.job.number):
            computed.passed.set()
            return
        logger.debug("worker: %s", line)
        self.last_lines.append(line[:_LONGEST_SHOWN])
        if found := on_stderr(line):
            if computed:
                computed.trouble = computed.trouble or found
            else:
                self.trouble = self.trouble or found
            self._messages.put_nowait(None)


async def start(
    command: Sequence[str], environ: Mapping[str, str], clock: Callable[[], float]
) -> WorkerProcess:
    """Raises MpsDoctorError if there is no such program, OSError if the system refuses."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environ, limit=_LONGEST_LINE
        )
    except (FileNotFoundError, PermissionError) as error:
        raise MpsDoctorError(
            "The worker cannot be started",
            detail=f"{command[0]}: {error.strerror}.",
            hint="Install mpsdoctor again, with the extra render.",
        ) from error
    return WorkerProcess(process, clock)


async def within(seconds: float, work: Coroutine[Any, Any, _T]) -> _T:
    """Like `asyncio.wait_for`, which can lose a cancellation before Python 3.12.

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
