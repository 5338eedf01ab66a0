"""A supervisor without a process: the prompt says what its worker does."""

import asyncio
from collections import deque
from pathlib import Path
from typing import Final

import msgspec

from mpsdoctor.hotfolder.worker.failures import WorkerLostError
from mpsdoctor.hotfolder.worker.supervisor import OnProgress, Supervisor
from mpsdoctor.profile.settings import Profile
from mpsdoctor.rendering.protocol import Failed, Ready, Rendered, RenderJob, Started, Step
from tests.support.stand_in_worker import FAILURES, picture

STEPS: Final = 3
SECONDS: Final = 1.5
PID: Final = 7


def loss(signature: str, job: RenderJob | None = None) -> WorkerLostError:
    """A worker that was lost, at `job` or while it loaded."""
    return WorkerLostError(
        f"Lost by {signature}", detail="Why.", hint="Do this.", signature=signature, job=job
    )


class StandInSupervisor(Supervisor):
    """Renders at once, unless the first word of a prompt says otherwise.

    Words are the failures of the stand-in worker, and:
    - `crash SIGNATURE` loses the worker before the first step, `vanish SIGNATURE` without a job;
    - `stuck` never gets beyond the first step; `again` starts once more after two steps;
    - `slow-save` answers only when the next picture has been computed;
    - `missing` writes no picture, `foreign` one of another job, `other` one of another number;
    - `note` has a note, and `repair` is made at the next fallback.
    With `-once` behind it, a word counts only in the first attempt.
    """

    def __init__(self) -> None:
        super().__init__(("never started",), {}, record=Path("unused"))
        self.calls: list[str] = []
        self.refusals: deque[Exception] = deque()
        """Raised by the next loads."""
        self.hangs_at_load = False
        self.step_s: float | None = None
        """None renders in one go, before anything else can happen."""
        self.is_stuck = asyncio.Event()
        self._profile: Profile | None = None
        self._jobs: deque[RenderJob] = deque()
        self._computed: set[tuple[str, int]] = set()

    @property
    def model(self) -> str | None:
        return self._profile.model if self._profile else None

    @property
    def pid(self) -> int | None:
        return PID if self._profile else None

    @property
    def computed(self) -> RenderJob | None:
        return next((job for job in self._jobs if _key(job) not in self._computed), None)

    async def load(self, profile: Profile) -> Ready | None:
        if self._profile == profile:
            return None
        self.calls.append(f"load {profile.model}")
        self._profile = None
        if self.refusals:
            raise self.refusals.popleft()
        if self.hangs_at_load:
            await self._stick()
        self._profile = profile
        return Ready(model=profile.model, device="cpu")

    async def submit(self, job: RenderJob) -> None:
        self.calls.append(f"submit {job.request.prompt}")
        assert self._profile
        self._jobs.append(job)
        assert len(self._jobs) <= 2

    async def answer(self, on_progress: OnProgress) -> Rendered | Failed:
        oldest = self._jobs[0]
        await self._compute(oldest, on_progress)
        if _words(oldest)[0] == "slow-save":
            for job in list(self._jobs)[1:]:
                await self._compute(job, on_progress)
        self._jobs.popleft()
        return _answer(oldest)

    async def close(self) -> None:
        self.calls.append("close")
        self._profile = None
        self._jobs.clear()
        self._computed.clear()
        self.is_stuck.clear()

    async def _compute(self, job: RenderJob, on_progress: OnProgress) -> None:
        if _key(job) in self._computed:
            return
        word, *rest = _words(job)
        await on_progress(Started(job=job.job, number=job.number))
        if word in ("crash", "vanish"):
            self._profile = None
            raise loss(rest[0], job if word == "crash" else None)
        if word not in FAILURES:
            await self._denoise(job, word, on_progress)
        self._computed.add(_key(job))

    async def _denoise(self, job: RenderJob, word: str, on_progress: OnProgress) -> None:
        for step in range(1, STEPS + 1):
            if self.step_s is not None:
                await asyncio.sleep(self.step_s)
            await on_progress(Step(job=job.job, number=job.number, step=step, steps=STEPS))
            if word == "stuck":
                await self._stick()
            if word == "again" and step == 2:
                await on_progress(Started(job=job.job, number=job.number, fallback=1))
                return await self._denoise(job, "fine", on_progress)
        return None

    async def _stick(self) -> None:
        self.is_stuck.set()
        await asyncio.Event().wait()


def _key(job: RenderJob) -> tuple[str, int]:
    return job.job, job.number


def _words(job: RenderJob) -> list[str]:
    word, *rest = job.request.prompt.split()
    if word.endswith("-once"):
        word = word.removesuffix("-once") if job.output.endswith("-1.png") else "fine"
    return [word, *rest]


def _answer(job: RenderJob) -> Rendered | Failed:
    word = _words(job)[0]
    if failed := FAILURES.get(word):
        return msgspec.structs.replace(failed, job=job.job, number=job.number)
    if word != "missing":
        owner = "another" if word == "foreign" else job.job
        number = job.number + 1 if word == "other" else job.number
        Path(job.output).write_bytes(picture(owner, job.request.seed or 0, number))
    return Rendered(
        job=job.job,
        number=job.number,
        output=job.output,
        seconds=SECONDS,
        notes=("It was noted.",) if word == "note" else (),
        remedy="VAE in float32" if word == "repair" else "",
        fallback=job.fallback + 1 if word == "repair" else job.fallback,
    )
