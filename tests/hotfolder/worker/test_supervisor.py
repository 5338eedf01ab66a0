"""One worker: warm, watched, lost and replaced. The worker is the stand-in, a real process."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from msgspec.structs import replace as replaced

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.worker import supervisor as supervisor_module
from mpsdoctor.hotfolder.worker.failures import WorkerLostError
from mpsdoctor.hotfolder.worker.supervisor import RefusedError, Supervisor, worker_environment
from mpsdoctor.hotfolder.worker.timeouts import Timeouts
from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.protocol import Failed, Ready, Rendered, RenderJob, Started, Step
from tests.support.stand_in_worker import FAILURES, HEAVY_BYTES

pytestmark = pytest.mark.heavy

COMMAND = (sys.executable, "-m", "tests.support.stand_in_worker")
PROFILE = Profile(model="stand-in")
PATIENT = Timeouts(load=30, first_step=30, step=30, save=30)
HASTY = Timeouts(load=3, first_step=1, step=1, save=1)


class Desk:
    """A supervisor, with what it reported and where its worker writes."""

    def __init__(
        self,
        folder: Path,
        timeouts: Timeouts,
        command: tuple[str, ...],
        reports: Sequence[Path] = (),
    ) -> None:
        self.folder = folder
        self.progress: list[Started | Step] = []
        self.computed: list[RenderJob | None] = []
        self.supervisor = Supervisor(
            command, os.environ, record=folder / "worker.json", timeouts=timeouts, reports=reports
        )

    async def submit(self, *prompts: str, number: int = 1) -> None:
        """Jobs numbered from `number`."""
        for offset, prompt in enumerate(prompts):
            output = self.folder / f"image-{number + offset}-1.png"
            request = Request(prompt=prompt, seed=7)
            await self.supervisor.submit(
                RenderJob(job="1", number=number + offset, request=request, output=str(output))
            )

    async def answer(self) -> Rendered | Failed:
        """Of the oldest."""

        async def note(progress: Started | Step) -> None:
            self.progress.append(progress)
            self.computed.append(self.supervisor.computed)

        return await self.supervisor.answer(note)

    async def render(self, *prompts: str) -> Rendered | Failed:
        """Loads, and the first answer."""
        await self.supervisor.load(PROFILE)
        await self.submit(*prompts)
        return await self.answer()

    def known(self) -> tuple[object, ...]:
        """What is known of the worker."""
        return self.supervisor.model, self.supervisor.pid, self.supervisor.memory_bytes

    async def lost(self, *prompts: str) -> WorkerLostError:
        """How the worker was lost over these prompts."""
        with pytest.raises(WorkerLostError) as lost:
            await self.render(*prompts)
        assert self.supervisor.pid is None
        return lost.value


@pytest.fixture
def at_desk(tmp_path: Path) -> Callable[..., None]:
    """Runs a coroutine function on a Desk, and leaves no worker behind."""

    def run(
        work: Callable[[Desk], Awaitable[None]],
        timeouts: Timeouts = PATIENT,
        command: tuple[str, ...] = COMMAND,
        reports: Sequence[Path] = (),
    ) -> None:
        async def all_of_it() -> None:
            desk = Desk(tmp_path, timeouts, command, reports)
            try:
                await work(desk)
            finally:
                await desk.supervisor.close()
            assert psutil.Process().children() == before

        before = psutil.Process().children()
        asyncio.run(all_of_it())

    return run


def test_a_warm_worker_serves_picture_after_picture(at_desk: Any) -> None:
    """It is loaded once for a profile, and its progress and memory are known."""

    async def work(desk: Desk) -> None:
        supervisor = desk.supervisor
        assert desk.known() == (None, None, None)
        assert Ready(model="stand-in", device="cpu") == await supervisor.load(PROFILE)
        pid = supervisor.pid
        assert json.loads((desk.folder / "worker.json").read_bytes())["pid"] == pid
        for prompt in ("a star", "noisy", "note"):
            assert isinstance(await desk.render(prompt), Rendered)
        assert (supervisor.pid, supervisor.model) == (pid, "stand-in")
        assert await supervisor.load(PROFILE) is None
        assert supervisor.memory_bytes == pytest.approx(
            psutil.Process(pid).memory_info().rss, rel=0.2
        )
        assert isinstance(await desk.render("heavy"), Rendered)
        assert supervisor.memory_bytes == HEAVY_BYTES
        assert desk.progress[:2] == [
            Started(job="1", number=1),
            Step(job="1", number=1, step=1, steps=4),
        ]
        assert desk.computed[0] is not None
        assert desk.computed[0].request.prompt == "a star"
        assert supervisor.computed is None

        other = PROFILE.model_copy(update={"model": "another"})
        assert Ready(model="another", device="cpu") == await supervisor.load(other)
        assert pid is not None
        assert not psutil.pid_exists(pid)
        assert supervisor.memory_bytes != HEAVY_BYTES
        await supervisor.close()
        assert desk.known() == (None, None, None)

    at_desk(work)


def test_the_next_picture_is_computed_while_the_last_is_saved(at_desk: Any) -> None:
    """Its steps are reported before the last one's answer; answers keep the order."""

    async def work(desk: Desk) -> None:
        first = await desk.render("slow-save 0.3", "fail")
        begun = [progress for progress in desk.progress if progress.number == 2]
        second = await desk.answer()

        assert isinstance(first, Rendered)
        assert first.number == 1
        assert second == replaced(FAILURES["fail"], job="1", number=2)
        assert begun == [Started(job="1", number=2)]

    at_desk(work)


@pytest.mark.parametrize(
    ("prompt", "signature", "says"),
    [
        ("crash", "SIGABRT", "SIGABRT"),
        ("abort", "complaint: block too large", "2³² bytes"),
        ("kill", "SIGKILL", "memory ran out"),
        ("bus", "SIGBUS", "SIGBUS"),
        ("term", "SIGTERM", "swap space"),
        ("exit", "exit 0", "exited with status 0"),
        ("corrupt", "complaint: command buffer", "silently wrong"),
    ],
)
def test_a_worker_that_is_lost_fails_the_attempt_and_is_replaced(
    at_desk: Any, prompt: str, signature: str, says: str
) -> None:
    """The same crash has the same signature, and the next picture gets a new worker."""

    async def work(desk: Desk) -> None:
        first, second = await desk.lost(prompt), await desk.lost(prompt)
        assert first.signature == second.signature == signature
        assert says in first.detail
        assert (desk.supervisor.model, desk.supervisor.computed) == (None, None)
        assert first.job is not None
        assert (first.job.job, first.job.number) == ("1", 1)
        assert isinstance(await desk.render("a star"), Rendered)

    at_desk(work)


@pytest.mark.parametrize(
    ("prompt", "when"),
    [
        ("hang", "while it prepared the first step"),
        ("hang-step", "while it denoised"),
        ("hang-save", "while it decoded and saved the picture"),
    ],
)
def test_a_worker_that_hangs_is_ended(at_desk: Any, prompt: str, when: str) -> None:
    """Each phase has its own deadline."""

    async def work(desk: Desk) -> None:
        loss = await desk.lost(prompt)
        assert (loss.title, loss.signature) == (f"The worker hung {when}", f"hang {when}")
        assert loss.job is not None

    at_desk(work, HASTY)


def test_an_answer_without_a_sentinel_is_not_trusted(
    at_desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that the picture is corrupt may still be on its way, but not for ever."""
    assert supervisor_module._SENTINEL_S == 10.0
    monkeypatch.setattr(supervisor_module, "_SENTINEL_S", 0.1)

    async def work(desk: Desk) -> None:
        loss = await desk.lost("unmarked")
        assert loss.signature == "hang while it decoded and saved the picture"

    at_desk(work)


def test_macos_report_about_a_killed_worker_is_shown(tmp_path: Path, at_desk: Any) -> None:
    """Other ends have no such report, even if there is one at the time."""
    path = tmp_path / "JetsamEvent-1.ips"
    path.write_text('{}\n{"largestProcess": "Python", "processes": []}')

    async def work(desk: Desk) -> None:
        report = f"macOS reports that memory ran out at that time: {path}. The largest process"
        for prompt, has_report in (("kill", True), ("bus", False)):
            path.touch()
            assert (report in (await desk.lost(prompt)).detail) is has_report

    at_desk(work, reports=[tmp_path])


def test_macos_may_write_its_report_a_moment_later(
    tmp_path: Path, at_desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked for five times, a second apart."""
    looks: list[float] = []

    def look(folders: Any, pid: int, ended: float) -> str | None:
        looks.append(time.monotonic())
        assert (list(folders), abs(ended - time.time()) < 60) == ([tmp_path], True)
        return "A report." if len(looks) == 3 else None

    monkeypatch.setattr(supervisor_module, "jetsam_event", look)
    monkeypatch.setattr(supervisor_module, "_SECONDS_BETWEEN_LOOKS", 0.01)

    async def work(desk: Desk) -> None:
        loss = await desk.lost("kill")
        assert loss.detail.startswith(
            "It ended with SIGKILL: the system killed it, most often because memory ran out. "
            "A report."
        )
        assert len(looks) == 3
        looks.extend([0.0, 0.0, 0.0])
        loss = await desk.lost("kill")
        assert "A report." not in loss.detail
        assert len(looks) == 6 + 5

    at_desk(work, reports=[tmp_path])


def test_a_picture_that_makes_progress_is_waited_for(at_desk: Any) -> None:
    """Each step postpones the deadline, so the total may exceed it."""

    async def work(desk: Desk) -> None:
        assert isinstance(await desk.render("slow 0.3"), Rendered)

    at_desk(work, HASTY)


def test_an_answer_that_was_there_in_time_counts_however_late_it_is_read(at_desk: Any) -> None:
    """A daemon that was busy for longer than the deadline does not blame its worker."""

    async def work(desk: Desk) -> None:
        await desk.supervisor.load(PROFILE)
        await desk.submit("a star")
        await asyncio.sleep(1.2)
        assert isinstance(await desk.answer(), Rendered)

    at_desk(work, HASTY)


@pytest.mark.parametrize("second", ["crash", "corrupt"])
def test_a_picture_that_is_only_being_saved_is_not_to_blame(at_desk: Any, second: str) -> None:
    """If the worker is lost, the picture that was being computed is to blame."""

    async def work(desk: Desk) -> None:
        if second == "corrupt":
            assert isinstance(await desk.render("slow-save 0.2", second), Rendered)
            with pytest.raises(WorkerLostError) as lost:
                await desk.answer()
            loss = lost.value
        else:
            loss = await desk.lost("slow-save 5", second)
        assert loss.job is not None
        assert loss.job.number == 2

    at_desk(work)


@pytest.mark.parametrize(
    ("model", "kind", "told"),
    [
        ("refused", RefusedError, "model"),
        ("no-gpu", RefusedError, "gpu"),
        ("aborting", WorkerLostError, "SIGABRT"),
        ("corrupt", WorkerLostError, "complaint: command buffer"),
        ("silent", WorkerLostError, "hang while it loaded the model"),
    ],
)
def test_a_model_that_does_not_load_is_told_by_its_cause(
    at_desk: Any, model: str, kind: type[MpsDoctorError], told: str
) -> None:
    """Afterwards no model counts as loaded."""

    async def work(desk: Desk) -> None:
        with pytest.raises(kind) as refused:
            await desk.supervisor.load(PROFILE.model_copy(update={"model": model}))
        error: Any = refused.value
        assert told == (error.cause if isinstance(error, RefusedError) else error.signature)
        assert desk.supervisor.model is None

    at_desk(work, replace(HASTY, load=0.5) if model == "silent" else HASTY)


def test_a_worker_that_died_or_complained_while_idle_is_replaced_at_the_next_load(
    at_desk: Any,
) -> None:
    """No picture is to blame for what happened between two of them."""

    async def work(desk: Desk) -> None:
        supervisor = desk.supervisor
        await desk.render("a star")
        assert supervisor.pid is not None
        os.kill(supervisor.pid, signal.SIGKILL)
        while supervisor.pid is not None:
            await asyncio.sleep(0.01)
        assert isinstance(await supervisor.load(PROFILE), Ready)

        assert isinstance(await desk.render("corrupt-late"), Rendered)
        while await supervisor.load(PROFILE) is None:
            await asyncio.sleep(0.01)
        assert isinstance(await desk.render("a star"), Rendered)

    at_desk(work)


def test_a_cancelled_load_starts_again(at_desk: Any) -> None:
    """A half-loaded worker is not warm."""

    async def work(desk: Desk) -> None:
        silent = PROFILE.model_copy(update={"model": "silent"})
        loading = asyncio.create_task(desk.supervisor.load(silent))
        await asyncio.sleep(0.2)
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
        assert isinstance(await desk.render("a star"), Rendered)

    at_desk(work)


def test_a_program_that_is_not_there_is_told(at_desk: Any) -> None:
    """A broken installation is not a crash of the worker."""

    async def work(desk: Desk) -> None:
        with pytest.raises(MpsDoctorError, match="cannot be started"):
            await desk.supervisor.load(PROFILE)
        assert (desk.supervisor.pid, desk.supervisor.model) == (None, None)

    at_desk(work, command=("/no/such/python",))


def test_the_users_variables_win_and_nothing_is_downloaded() -> None:
    """The user's variables override the profile's, and the network is off."""
    profile = Profile(environment={"A": "profile", "B": "profile"})
    environ = {"B": "user", "HF_HUB_OFFLINE": "0"}
    assert worker_environment(profile, environ) == {
        "A": "profile",
        "B": "user",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
    }
