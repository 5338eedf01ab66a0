"""One worker process: its messages, what it prints on stderr, and its end. It is a shell here."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import psutil
import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.worker import process as process_module
from mpsdoctor.hotfolder.worker.process import WorkerProcess, start, within
from mpsdoctor.hotfolder.worker.timeouts import Phase
from mpsdoctor.knowledge.messages import on_stderr
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.protocol import (
    Configure,
    Ready,
    RenderJob,
    Started,
    Step,
    sentinel,
    to_line,
)
from tests.support.stand_in_worker import ASSERTION, CORRUPTION

READY: Final = Ready(model="shapes", device="cpu")


def job(number: int) -> RenderJob:
    """A picture of one job."""
    return RenderJob(job="1", number=number, request=Request(prompt="a star"), output="x.png")


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[str, Callable[[WorkerProcess], Awaitable[None]]], None]:
    """Runs a script as the worker beside a coroutine function; the clock counts from 100."""

    def run(script: str, work: Callable[[WorkerProcess], Awaitable[None]]) -> None:
        async def both() -> None:
            clock = iter(range(100, 200)).__next__
            worker = await start(
                ["/bin/sh", "-c", script], {**os.environ, "HERE": str(tmp_path)}, clock
            )
            try:
                await asyncio.wait_for(work(worker), 10)
            finally:
                await worker.end()
            assert psutil.Process().children() == []

        asyncio.run(both())

    return run


def saying(folder: Path, name: str, content: bytes) -> str:
    """A command of the script that prints `content`."""
    (folder / name).write_bytes(content)
    return f'cat "$HERE/{name}"'


def test_messages_come_in_order_until_its_output_ends(
    shell: Callable[..., None], tmp_path: Path
) -> None:
    """A line that a library prints is not a message, and neither is one of the daemon's."""
    lines = b"a library\n" + to_line(READY) + to_line(job(1)) + b"{}\n" + to_line(READY)

    async def work(worker: WorkerProcess) -> None:
        assert worker.is_alive
        assert not worker.is_finished
        worker.send(Configure(profile={}))
        await worker.ended()
        assert (worker.is_alive, worker.is_finished) == (False, False)
        assert await worker.next_message() == READY
        assert not worker.is_finished
        assert await worker.next_message() == READY
        assert await worker.next_message() is None
        assert worker.is_finished
        assert worker.process.returncode == 3

    shell(f"read a; {saying(tmp_path, 'said', lines)}; exit 3", work)


def test_a_closed_output_ends_it_too(shell: Callable[..., None]) -> None:
    """It cannot take another job, although its process still runs."""

    async def work(worker: WorkerProcess) -> None:
        assert await worker.next_message() is None
        assert (worker.is_alive, worker.is_finished) == (False, True)
        assert worker.process.returncode is None

    shell("exec >&-; exec sleep 60", work)


def test_progress_is_timed_when_it_is_read(shell: Callable[..., None], tmp_path: Path) -> None:
    """Only that of the job that it is about; messages of unknown jobs change nothing."""
    lines = b"".join(
        to_line(message)
        for message in (
            Started(job="1", number=1),
            Step(job="1", number=1, step=1, steps=2),
            Step(job="2", number=1, step=1, steps=2),
            Started(job="1", number=2),
        )
    )

    async def work(worker: WorkerProcess) -> None:
        worker.send(Configure(profile={}))
        assert not worker.in_hand
        worker.send(job(1))
        worker.send(job(2))
        for _ in range(4):
            assert await worker.next_message()
        first, second = (held.timing for held in worker.in_hand)
        assert (first.phase, first.step_seconds, first.since) == (Phase.STEP, [1], 103)
        assert (second.phase, second.step_seconds, second.since) == (Phase.FIRST_STEP, [], 104)

    shell(f"read a; read b; read c; {saying(tmp_path, 'said', lines)}; exec sleep 60", work)


def test_the_last_lines_are_kept(shell: Callable[..., None], tmp_path: Path) -> None:
    """At most 24 of 300 characters each; progress bars end lines with a carriage return."""
    printed = [f"line {number}" for number in range(30)]
    text = "\r".join(printed[:15]) + "\n\n" + "\r\n".join(printed[15:]) + "\n" + "x" * 5000
    content = text.encode() + b"\xff"

    async def work(worker: WorkerProcess) -> None:
        await worker.ended()
        assert list(worker.last_lines) == [*printed[7:], "x" * 300]

    shell(saying(tmp_path, "said", content) + " >&2", work)


def test_a_message_is_about_the_picture_that_is_computed(
    shell: Callable[..., None], tmp_path: Path
) -> None:
    """A sentinel ends each; the first message of several counts, also while it is idle."""
    corruption, assertion = on_stderr(CORRUPTION), on_stderr(ASSERTION)
    lines = (
        f"a library\n{sentinel('1', 9)}\n{CORRUPTION}{ASSERTION}{sentinel('1', 1)}\n"
        f"{sentinel('1', 1)}\n{ASSERTION}{sentinel('1', 2)}\n{ASSERTION}{CORRUPTION}"
    )

    async def work(worker: WorkerProcess) -> None:
        worker.send(job(1))
        worker.send(job(2))
        first, second = worker.in_hand
        assert worker.computed is first
        for _ in range(5):
            assert await worker.next_message() is None
        await worker.ended()
        assert (first.trouble, second.trouble, worker.trouble) == (
            *(corruption, assertion, assertion),
        )
        assert first.passed.is_set()
        assert second.passed.is_set()
        assert worker.computed is None
        assert sentinel("1", 9) in worker.last_lines
        assert list(worker.last_lines).count(sentinel("1", 1)) == 1

    shell(f"read a; read b; {saying(tmp_path, 'said', lines.encode())} >&2", work)


def test_a_process_that_ignores_signals_is_killed(
    shell: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child of it that keeps its pipes open is not waited for, and a second end is harmless."""
    monkeypatch.setattr(process_module, "_GRACE_S", 0.1)

    async def work(worker: WorkerProcess) -> None:
        assert await worker.next_message() == READY
        (child,) = psutil.Process(worker.process.pid).children()
        await worker.end()
        assert worker.process.returncode == -9
        await worker.end()
        child.kill()
        await asyncio.sleep(0.1)  # for the ends of its pipes

    say = to_line(READY).decode().strip().replace('"', '\\"')
    shell(f"trap '' TERM; sleep 60 & echo \"{say}\"; wait", work)


def refused(command: str) -> str:
    """Why a worker cannot be started."""
    with pytest.raises(MpsDoctorError) as refusal:
        asyncio.run(start([command], os.environ, lambda: 0.0))
    return str(refusal.value)


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    """It is missing, or is not a program; other errors are the system's."""
    hint = "Install mpsdoctor again, with the extra render."
    (tmp_path / "python").touch()
    assert refused("/no/such/python") == (
        f"The worker cannot be started\n/no/such/python: No such file or directory.\n{hint}"
    )
    assert refused(str(tmp_path / "python")) == (
        f"The worker cannot be started\n{tmp_path / 'python'}: Permission denied.\n{hint}"
    )
    (tmp_path / "python").write_bytes(b"\0")
    (tmp_path / "python").chmod(0o755)
    with pytest.raises(OSError, match="Exec format error"):
        asyncio.run(start([str(tmp_path / "python")], os.environ, lambda: 0.0))


def test_work_that_takes_too_long_is_cancelled() -> None:
    """And so it is if the one who waits is cancelled."""

    async def all_of_it() -> None:
        ended: list[str] = []

        async def work(seconds: float) -> str:
            try:
                await asyncio.sleep(seconds)
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise
            return "done"

        assert await within(5, work(0)) == "done"
        with pytest.raises(asyncio.TimeoutError):
            await within(0.01, work(5))
        waiting = asyncio.create_task(within(5, work(5)))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(0)
        assert ended == ["cancelled", "cancelled"]

    asyncio.run(all_of_it())
