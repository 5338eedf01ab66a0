"""Which picture comes next, and how its job ends."""

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.inbox.inbox import Inbox
from mpsdoctor.hotfolder.inbox.intake import profile_for, read_dropped
from mpsdoctor.hotfolder.spool.job import Failure, Job, is_settled, open_pictures, retry_policy
from mpsdoctor.hotfolder.spool.recovery import recover
from mpsdoctor.hotfolder.spool.spool import Spool
from mpsdoctor.hotfolder.status import events
from mpsdoctor.hotfolder.status.events import Event
from mpsdoctor.profile.settings import Profile, fingerprint
from mpsdoctor.prompts.request import Request, expand
from mpsdoctor.rendering.protocol import RenderJob


@dataclass
class OpenJob:
    """A job in progress; `requests` are its pictures, in order."""

    job: Job
    requests: tuple[Request, ...]


@dataclass(frozen=True)
class Task:
    """Picture `number` of a job, and the profile to render it with."""

    of: OpenJob
    number: int
    profile: Profile

    @property
    def job(self) -> Job:
        """The job in its present state."""
        return self.of.job

    @property
    def request(self) -> Request:
        """What to render."""
        return self.of.requests[self.number - 1]


class Queue:
    """Jobs of an earlier daemon first, then the files in the inbox, oldest first.

    Each of the `profiles` is for one model; the first is for prompts that name none.

    All methods raise OSError if the disk refuses. The caller then sets `must_resume`, which is
    also set at the start, and begins no picture before `resume`. It may finish those in hand.
    """

    def __init__(
        self,
        spool: Spool,
        inbox: Inbox,
        profiles: Sequence[Profile],
        tell: Callable[[Event], None],
    ) -> None:
        self._spool = spool
        self._inbox = inbox
        self._profiles = profiles
        self._tell = tell
        self._waiting: deque[Job] = deque()
        self._open: list[OpenJob] = []
        self._counts_to_set: dict[tuple[str, int], int] = {}
        self.must_resume = True
        """Whether the folders may differ from what is known here."""
        self._fallbacks: dict[str, int] = {}

    def resume(self) -> int:
        """Starts from what is in the folders; returns how many jobs were claimed before."""
        self._open = []
        self._waiting = deque(map(self._with_counts_set, recover(self._spool)))
        self._counts_to_set = {}
        self.must_resume = False
        return len(self._waiting)

    def next(self, now: float, in_hand: "deque[Task]") -> Task | None:
        """The next picture to render that is not in hand; None if there is none now.

        It opens at most one file, because rejecting a file takes a while. `has_waiting` says
        whether there are more.
        """
        task = self._first_open(in_hand)
        if not task and (job := self._next_job(now)):
            self._open_file(job)
            self._waiting.popleft()
            task = self._first_open(in_hand)
        return task

    def has_waiting(self, now: float) -> bool:
        """Whether a file can be opened now."""
        return bool(self._waiting) or self._inbox.due(now) == 0.0

    def begin(self, task: Task) -> RenderJob:
        """Counts the attempt; returns the command for the worker."""
        begun = task.job.attempts.get(task.number, 0)
        with self._counting(task, begun):
            task.of.job = job = self._spool.begin_attempt(task.job, task.number)
        attempt = job.attempts[task.number]
        self._tell(events.Rendering(job.id, job.name, task.number, job.pictures, attempt))
        return RenderJob(
            job=job.id,
            number=task.number,
            request=task.request,
            output=str(self.picture(task)),
            profile=fingerprint(task.profile),
            fallback=job.fallbacks.get(task.profile.model, 0),
        )

    def picture(self, task: Task) -> Path:
        """Where the worker writes the picture in this attempt."""
        return self._spool.picture(task.job, task.number)

    def note_cure(self, task: Task, fallback: int) -> None:
        """Later jobs of this model begin at the fallback that repaired a picture."""
        model = task.profile.model
        self._fallbacks[model] = max(self._fallbacks.get(model, 0), fallback)

    def give_back(self, task: Task) -> None:
        """Does not count the attempt, which says nothing about the picture.

        If the disk refuses to record that, `resume` does it. Does not raise.
        """
        begun = task.job.attempts[task.number]
        with contextlib.suppress(OSError), self._counting(task, begun - 1):
            task.of.job = self._spool.give_back_attempt(task.job, task.number)

    def publish(self, task: Task, seconds: float, notes: tuple[str, ...], remedy: str) -> None:
        """Moves the rendered picture to `images/`.

        If the disk refuses, the picture may be out even so. `resume` looks for it before it gives
        the attempt back, because it looks only for pictures with an attempt.
        """
        begun = task.job.attempts[task.number]
        with self._counting(task, begun - 1):
            task.of.job, image = self._spool.publish(task.job, task.number)
        notes = (*task.request.notes, *notes)
        job = task.job
        self._tell(events.Published(job.id, job.name, image, seconds, notes, remedy, task.number))
        self._settle(task.of)

    def lose(self, task: Task, signature: str, reason: MpsDoctorError) -> bool:
        """The worker was lost at this picture; returns whether the picture is given up.

        The worker can also be lost while it loads the model, before an attempt has begun.
        """
        task.of.job = job = self._spool.note_loss(task.job, task.number, signature)
        losses = job.losses[task.number]
        attempts = max(job.attempts.get(task.number, 0), len(losses))
        if retry_policy(attempts, losses) == "fail":
            times = f"It was tried {attempts} times; the last time:\n{reason.detail}"
            self.give_up(task, MpsDoctorError(reason.title, detail=times, hint=reason.hint))
            return True
        self._tell(events.Retrying(job.id, job.name, attempts, reason.title, task.number))
        return False

    def give_up(self, task: Task, reason: MpsDoctorError) -> None:
        """Gives up this picture; the other pictures of its job are still rendered."""
        self._note_failure(task.of, task.number, reason)
        self._settle(task.of)

    @contextlib.contextmanager
    def _counting(self, task: Task, attempts: int) -> Iterator[None]:
        """If the disk refuses inside, `resume` sets the count back to `attempts`."""
        try:
            yield
        except OSError:
            self._counts_to_set[task.job.id, task.number] = attempts
            self.must_resume = True
            raise

    def _with_counts_set(self, job: Job) -> Job:
        for (job_id, number), attempts in self._counts_to_set.items():
            if job_id == job.id and job.attempts.get(number, 0) > attempts:
                job = self._spool.give_back_attempt(job, number)
        return job

    def _first_open(self, in_hand: "deque[Task]") -> Task | None:
        tasks = (self._next_of(open_job, in_hand) for open_job in list(self._open))
        return next(filter(None, tasks), None)

    def _next_of(self, open_job: OpenJob, in_hand: "deque[Task]") -> Task | None:
        taken = {task.number for task in in_hand if task.of is open_job}
        job = open_job.job
        for number in open_pictures(job):
            if number in taken:
                continue
            attempts = job.attempts.get(number, 0)
            if retry_policy(attempts, job.losses.get(number, ())) == "fail":
                self._note_failure(open_job, number, _interrupted_too_often(attempts))
                continue
            named = open_job.requests[number - 1].model
            return Task(open_job, number, profile_for(self._profiles, named))
        if not taken:
            self._settle(open_job)
        return None

    def _next_job(self, now: float) -> Job | None:
        """The first waiting job, which keeps its place until it has been opened."""
        if not self._waiting and (claimed := self._inbox.claim(now)):
            self._tell(events.Claimed(claimed.id, claimed.name))
            self._waiting.append(claimed)
        return self._waiting[0] if self._waiting else None

    def _open_file(self, job: Job) -> None:
        try:
            dropped = read_dropped(self._spool.prompt(job), job.name)
            requests = expand(dropped.requests, job.seed)
            profiles = [profile_for(self._profiles, one.model) for one in dropped.requests]
        except MpsDoctorError as not_a_prompt:
            self._reject(job, not_a_prompt)
            return
        job = self._spool.freeze(
            job,
            sha256=dropped.sha256,
            profile=fingerprint(*profiles),
            fallbacks={one.model: self._fallbacks.get(one.model, 0) for one in profiles},
            pictures=len(requests),
        )
        self._open.append(OpenJob(job, requests))

    def _note_failure(self, open_job: OpenJob, number: int, reason: MpsDoctorError) -> None:
        failure = Failure.of(reason, open_job.requests[number - 1].prompt)
        open_job.job = self._spool.note_failure(open_job.job, number, failure)

    def _settle(self, open_job: OpenJob) -> None:
        """Ends the job if none of its pictures is left to render."""
        job = open_job.job
        if not is_settled(job):
            return
        if error_file := self._spool.settle(job):
            title = job.failures[min(job.failures)].title
            self._tell(events.Rejected(job.id, job.name, title, error_file))
        self._open.remove(open_job)

    def _reject(self, job: Job, reason: MpsDoctorError) -> None:
        error_file = self._spool.fail(job, reason)
        self._tell(events.Rejected(job.id, job.name, reason.title, error_file))


def _interrupted_too_often(attempts: int) -> MpsDoctorError:
    return MpsDoctorError(
        f"mpsdoctor was interrupted {attempts} times while it rendered this picture",
        detail="The Mac may have run out of memory or lost power. The picture is not tried again, "
        "so that the other prompts get their turn.",
        hint="To try it anyway, move the file back into inbox.",
    )
