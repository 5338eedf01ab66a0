"""What the worker's answers and the machine mean for the queue, without a worker."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.inbox.inbox import Inbox
from mpsdoctor.hotfolder.pause import Pause, PauseError
from mpsdoctor.hotfolder.queue import Queue
from mpsdoctor.hotfolder.renderer import Renderer
from mpsdoctor.hotfolder.spool.job import Job
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.recovery import recover
from mpsdoctor.hotfolder.spool.spool import Spool
from mpsdoctor.hotfolder.status import events
from mpsdoctor.hotfolder.status.events import Event
from mpsdoctor.hotfolder.worker.supervisor import RefusedError
from mpsdoctor.profile.settings import Profile
from mpsdoctor.rendering.protocol import Refused
from tests.support.jobs import drop, names
from tests.support.stand_in_supervisor import PID, SECONDS, STEPS, StandInSupervisor, loss

NOW = 100.0
HOT = Pause(kind="heat", title="This Mac is too hot", hint="Cool it.")
SHORT = Pause(kind="memory", title="This Mac is short of memory", hint="Quit programs.")
LOADED = (events.Loading("own"), events.Loaded("own", "cpu", PID))


class Desk:
    """A renderer with real folders, what it reported, and a machine that does as it is told."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.spool = Spool(layout)
        self.supervisor = StandInSupervisor()
        self.events: list[Event] = []
        self.hears: Callable[[Event], None] = lambda event: None
        self.reason = HOT
        self.may_begin = True
        self.workers = 0
        inbox = Inbox(self.spool, settle=0.0, settle_empty=0.0, on_unmovable=lambda *_: None)
        profiles = [Profile(model="own"), Profile(model="other")]
        self.queue = Queue(self.spool, inbox, profiles, self._tell)
        self.renderer = Renderer(
            self.queue,
            self.supervisor,
            "own",
            self._tell,
            reason_to_stop=self._reason_to_stop,
            may_begin=lambda: self.may_begin,
            on_loaded=self._on_loaded,
        )

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        self.hears(event)

    def _on_loaded(self) -> None:
        self.workers += 1

    async def _reason_to_stop(self) -> Pause:
        await self.supervisor.is_stuck.wait()
        return self.reason

    def drop(self, *prompts: str) -> None:
        """Files 1.txt, 2.txt, …, in this order."""
        for number, prompt in enumerate(prompts, 1):
            drop(self.layout, f"{number}.txt", prompt)

    async def turn(self) -> bool:
        """What the daemon does in a turn; whether there was anything to do."""
        if self.renderer.in_hand:
            await self.renderer.finish_oldest()
            return True
        if self.queue.must_resume:
            self.queue.resume()
        if task := self.queue.next(NOW, self.renderer.in_hand):
            await self.renderer.begin(task)
        return task is not None or self.queue.has_waiting(NOW)

    async def run(self) -> None:
        """Until nothing is left to do."""
        while await self.turn():
            pass

    async def pause(self) -> Pause:
        """Runs until the queue pauses."""
        with pytest.raises(PauseError) as raised:
            await self.run()
        await self.renderer.abandon()
        return raised.value.pause

    def told(self, *kinds: type) -> list[Any]:
        """The events (of these kinds, or all but steps), with the file's name as the job's id."""
        shown = [
            event
            for event in self.events
            if (isinstance(event, kinds) if kinds else not isinstance(event, events.Stepped))
        ]
        return [_without_id(event) for event in shown]

    def reason_of(self, name: str) -> str:
        """The text of an error file."""
        return (self.layout.failed / f"{name}.error.txt").read_text()

    def jobs(self) -> list[Job]:
        """What is on disk."""
        return recover(self.spool)


def _without_id(event: Any) -> Any:
    if isinstance(event, events.Stepped):
        event = replace(event, remaining_s=None)
    return replace(event, job=event.name) if hasattr(event, "job") else event


def begun(number: int, attempt: int = 1) -> events.Rendering:
    """An attempt at the only picture of a file."""
    return events.Rendering(f"{number}.txt", f"{number}.txt", attempt=attempt)


@pytest.fixture
def run(layout: Layout, unflushed: None) -> Callable[[Callable[[Desk], Awaitable[None]]], None]:
    """Runs a coroutine function on a Desk."""

    def run(work: Callable[[Desk], Awaitable[None]]) -> None:
        async def all_of_it() -> None:
            await asyncio.wait_for(work(Desk(layout)), 10)

        asyncio.run(all_of_it())

    return run


def published(layout: Layout, number: int, **values: Any) -> events.Published:
    """The only picture of a file is out."""
    name = f"{number}.txt"
    return events.Published(name, name, layout.images / f"{number}.png", SECONDS, **values)


def test_a_picture_is_rendered_by_a_worker_that_stays(layout: Layout, run: Any) -> None:
    """The model is loaded once, and each step is reported."""

    async def work(desk: Desk) -> None:
        desk.drop("note a cat")
        await desk.run()
        assert desk.told() == [
            events.Claimed("1.txt", "1.txt"),
            *LOADED,
            begun(1),
            published(layout, 1, notes=("It was noted.",)),
        ]
        assert desk.told(events.Stepped) == [
            events.Stepped("1.txt", "1.txt", 1, step, STEPS) for step in (1, 2, 3)
        ]
        drop(layout, "2.txt", "a dog")
        await desk.run()
        assert desk.supervisor.calls == ["load own", "submit note a cat", "submit a dog"]
        assert (desk.workers, desk.renderer.rendered) == (1, 2)
        assert names(layout.done) == ["1.txt", "2.txt"]

    run(work)


def test_the_remaining_time_is_for_the_present_try(run: Any) -> None:
    """A picture that starts again has an unknown remaining time again."""

    async def work(desk: Desk) -> None:
        desk.drop("again", "a dog")
        await desk.run()
        left = [event.remaining_s for event in desk.events if isinstance(event, events.Stepped)]
        assert [seconds is None for seconds in left] == [
            *(True, False),
            *(True, False, False),
            *(True, False, False),
        ]
        assert (left[4], left[7]) == (0.0, 0.0)

    run(work)


@pytest.mark.parametrize("first", ["a cat", "slow-save"])
def test_the_next_picture_begins_at_the_last_step(layout: Layout, run: Any, first: str) -> None:
    """It is claimed before, and a third is neither begun nor claimed while two are in hand."""

    async def work(desk: Desk) -> None:
        desk.drop(first, "a dog", "a bird")
        await desk.run()
        slow = first == "slow-save"
        steps = [events.Stepped("2.txt", "2.txt", 1, step, STEPS) for step in (1, 2, 3)]
        first_out = published(layout, 1)
        third = events.Claimed("3.txt", "3.txt")
        assert desk.told(*(type(e) for e in (steps[0], first_out, third, begun(1)))) == [
            events.Claimed("1.txt", "1.txt"),
            begun(1),
            events.Stepped("1.txt", "1.txt", 1, 1, STEPS),
            events.Claimed("2.txt", "2.txt"),
            events.Stepped("1.txt", "1.txt", 1, 2, STEPS),
            events.Stepped("1.txt", "1.txt", 1, 3, STEPS),
            begun(2),
            *([*steps, first_out] if slow else [first_out]),
            *([published(layout, 2), third, begun(3)] if slow else []),
            *([] if slow else [steps[0], third, *steps[1:], begun(3), published(layout, 2)]),
            *(events.Stepped("3.txt", "3.txt", 1, step, STEPS) for step in (1, 2, 3)),
            published(layout, 3),
        ]
        assert desk.workers == 1

    run(work)


def test_nothing_is_claimed_ahead_while_it_may_not_begin(run: Any) -> None:
    """The daemon may be draining, or the machine too hot."""

    async def work(desk: Desk) -> None:
        desk.may_begin = False
        desk.drop("a cat", "a dog")
        await desk.run()
        assert [type(event).__name__ for event in desk.told()] == [
            *("Claimed", "Loading", "Loaded", "Rendering", "Published"),
            *("Claimed", "Rendering", "Published"),
        ]

    run(work)


def test_a_picture_of_another_model_waits_until_the_worker_is_idle(
    layout: Layout, run: Any
) -> None:
    """It is claimed ahead, but its model is loaded only when nothing is in hand."""

    async def work(desk: Desk) -> None:
        desk.drop("a cat", "a dog\nSteps: 4, Model: other")
        await desk.run()
        assert desk.told() == [
            events.Claimed("1.txt", "1.txt"),
            *LOADED,
            begun(1),
            events.Claimed("2.txt", "2.txt"),
            published(layout, 1),
            events.Loading("other"),
            events.Loaded("other", "cpu", PID),
            begun(2),
            published(layout, 2),
        ]
        assert (desk.workers, desk.renderer.rendered) == (2, 1)

    run(work)


@contextmanager
def moved(path: Path) -> Iterator[None]:
    """Out of the way for a while."""
    away = path.with_name(f"{path.name} away")
    path.rename(away)
    yield
    away.rename(path)


def test_a_disk_that_refuses_a_claim_ahead_costs_the_picture_in_hand_nothing(
    layout: Layout, run: Any
) -> None:
    """It is published, and the folders are read again before anything else begins."""

    async def work(desk: Desk) -> None:
        desk.drop("a cat", "a dog")
        await desk.turn()
        inbox = moved(layout.inbox)
        inbox.__enter__()

        def hears(event: Event) -> None:
            if isinstance(event, events.Stepped) and event.step == 2:
                inbox.__exit__(None, None, None)

        desk.hears = hears
        await desk.turn()
        assert desk.told()[-1] == published(layout, 1)
        assert desk.queue.must_resume
        desk.hears = lambda event: None
        await desk.run()
        assert desk.told()[-4:] == [
            published(layout, 1),
            events.Claimed("2.txt", "2.txt"),
            begun(2),
            published(layout, 2),
        ]

    run(work)


def test_a_disk_that_refuses_to_count_an_attempt_ahead_costs_it_nothing(
    layout: Layout, run: Any
) -> None:
    """The picture in hand is published; the next one begins later, in its first attempt."""

    async def work(desk: Desk) -> None:
        desk.drop("a cat", "a dog")
        folders: list[Any] = []

        def hears(event: Event) -> None:
            if isinstance(event, events.Stepped) and event.step == STEPS and not folders:
                folders.append(moved(layout.work / second()))
                folders[0].__enter__()

        def second() -> str:
            return next(
                e.job for e in desk.events if isinstance(e, events.Claimed) and e.name == "2.txt"
            )

        desk.hears = hears
        await desk.turn()
        await desk.turn()
        assert desk.queue.must_resume
        assert not desk.renderer.in_hand
        folders[0].__exit__(None, None, None)
        await desk.run()
        assert desk.told()[-3:] == [published(layout, 1), begun(2), published(layout, 2)]
        assert desk.supervisor.calls == ["load own", "submit a cat", "submit a dog"]

    run(work)


def test_later_jobs_begin_at_the_fallback_that_helped(layout: Layout, run: Any) -> None:
    """What repaired a picture is reported and remembered, but not for jobs already open."""

    async def work(desk: Desk) -> None:
        desk.drop("repair", "repair", "repair")
        desk.may_begin = False
        await desk.run()
        remedy = "VAE in float32"
        assert desk.told(events.Published) == [
            published(layout, number, remedy=remedy) for number in (1, 2, 3)
        ]
        drop(layout, "4.txt", "a cat")
        desk.queue.resume()
        task = desk.queue.next(NOW, desk.renderer.in_hand)
        assert task
        assert desk.queue.begin(task).fallback == 3

    run(work)


def test_a_picture_that_fails_leaves_the_worker_and_the_others_alone(
    layout: Layout, run: Any
) -> None:
    """Another attempt would fail too, so there is none."""

    async def work(desk: Desk) -> None:
        desk.drop("slow-save", "fail", "a bird")
        await desk.run()
        failed = events.Rejected("2.txt", "2.txt", "All black", layout.failed / "2.error.txt")
        assert desk.told(events.Published, events.Rejected, events.Unloaded) == [
            published(layout, 1),
            failed,
            published(layout, 3),
        ]
        assert "close" not in desk.supervisor.calls
        assert desk.reason_of("2") == (
            "2.txt was not rendered.\n\nAll black\nEvery pixel is 0.\n\nWhat to do: Retry.\n"
        )

    run(work)


@pytest.mark.parametrize(
    ("prompt", "title", "detail", "hint", "signature"),
    [
        ("large", "Too large", "", "Smaller.", "out of memory"),
        *(
            (
                prompt,
                "The worker's picture is incomplete",
                "The file that it wrote is not a complete PNG of this job.",
                "Check that the disk has free space.",
                "broken file",
            )
            for prompt in ("missing", "foreign", "other")
        ),
        ("crash SIGABRT", "Lost by SIGABRT", "Why.", "Do this.", "SIGABRT"),
        ("vanish SIGBUS", "Lost by SIGBUS", "Why.", "Do this.", "SIGBUS"),
    ],
)
def test_the_same_failure_twice_gives_a_picture_up(
    layout: Layout, run: Any, prompt: str, title: str, detail: str, hint: str, signature: str
) -> None:
    """Each time the worker is replaced; the error file gives the last failure."""

    async def work(desk: Desk) -> None:
        desk.drop(prompt)
        await desk.turn()
        await desk.turn()
        (job,) = desk.jobs()
        assert (job.attempts, job.losses) == ({1: 1}, {1: (signature,)})
        assert desk.supervisor.pid is None
        await desk.run()
        assert desk.told() == [
            events.Claimed("1.txt", "1.txt"),
            *LOADED,
            begun(1),
            events.Retrying("1.txt", "1.txt", 1, title),
            *LOADED,
            begun(1, attempt=2),
            events.Rejected("1.txt", "1.txt", title, layout.failed / "1.error.txt"),
        ]
        assert (desk.workers, desk.renderer.rendered) == (2, 0)
        assert desk.reason_of("1") == (
            f"1.txt was not rendered.\n\n{title}\nIt was tried 2 times; the last time:\n"
            f"{detail}\n\nWhat to do: {hint}\n"
        )

    run(work)


def test_only_the_picture_to_blame_counts_an_attempt(layout: Layout, run: Any) -> None:
    """The other one in hand is rendered again, in its first attempt."""

    async def work(desk: Desk) -> None:
        desk.drop("slow-save", "crash-once SIGSEGV")
        await desk.run()
        assert desk.told() == [
            events.Claimed("1.txt", "1.txt"),
            *LOADED,
            begun(1),
            events.Claimed("2.txt", "2.txt"),
            begun(2),
            events.Retrying("2.txt", "2.txt", 1, "Lost by SIGSEGV"),
            *LOADED,
            begun(1),
            begun(2, attempt=2),
            published(layout, 1),
            published(layout, 2),
        ]

    run(work)


@pytest.mark.parametrize(
    ("word", "pause"),
    [
        ("full", Pause(kind="disk", title="The disk is full", hint="Free some.")),
        ("no-gpu", Pause(kind="gpu", title="The GPU is gone", hint="Restart.")),
    ],
)
def test_a_full_disk_or_a_missing_gpu_pauses_the_queue(run: Any, word: str, pause: Pause) -> None:
    """The attempt does not count, and the picture stays in the queue."""

    async def work(desk: Desk) -> None:
        desk.drop(word)
        assert await desk.pause() == pause
        (job,) = desk.jobs()
        assert (job.attempts, job.losses) == ({1: 0}, {})
        assert not desk.renderer.in_hand
        assert desk.supervisor.calls[-1] == "close"

    run(work)


def test_critical_heat_stops_a_picture_and_counts_no_attempt(layout: Layout, run: Any) -> None:
    """When the Mac is cool again, it is rendered in its first attempt."""

    async def work(desk: Desk) -> None:
        desk.drop("slow-save", "stuck")
        assert await desk.pause() == HOT
        assert [(job.attempts, job.losses) for job in desk.jobs()] == [({1: 0}, {})] * 2
        assert desk.supervisor.calls[-1] == "close"
        for job in desk.jobs():
            desk.spool.prompt(job).write_text("a cat")
        desk.queue.resume()
        await desk.run()
        assert desk.told(events.Rendering, events.Retrying, events.Published) == [
            *(begun(1), begun(2)),
            *(begun(1), begun(2), published(layout, 1), published(layout, 2)),
        ]

    run(work)


def test_critical_memory_is_blamed_on_the_picture_the_second_time(layout: Layout, run: Any) -> None:
    """The attempt at what was being computed counts, not at what was being saved."""

    async def work(desk: Desk) -> None:
        desk.reason = SHORT
        desk.drop("slow-save", "stuck")
        assert await desk.pause() == SHORT
        assert [(job.attempts, job.losses) for job in desk.jobs()] == [
            ({1: 0}, {}),
            ({1: 1}, {1: ("memory pressure",)}),
        ]
        assert await desk.pause() == SHORT
        assert desk.told(events.Retrying, events.Rejected) == [
            events.Retrying(
                "2.txt", "2.txt", 1, "This Mac is short of memory, in the middle of this picture"
            ),
            events.Rejected(
                "2.txt",
                "2.txt",
                "This Mac is short of memory, in the middle of this picture",
                layout.failed / "2.error.txt",
            ),
        ]
        assert desk.reason_of("2") == (
            "2.txt was not rendered.\n\n"
            "This Mac is short of memory, in the middle of this picture\n"
            "It was tried 2 times; the last time:\n"
            "It was stopped to keep the Mac responsive.\n\n"
            "What to do: Quit programs. A smaller picture needs less: `mpsdoctor plan` says how "
            "much.\n"
        )
        await desk.run()
        assert names(layout.done) == ["1.txt"]

    run(work)


def test_what_is_done_when_the_machine_must_stop_counts(layout: Layout, run: Any) -> None:
    """Of a model that is loaded, or a picture that is rendered, nothing is thrown away."""

    async def work(desk: Desk) -> None:
        desk.drop("a cat")
        desk.supervisor.is_stuck.set()
        await desk.run()
        assert desk.told()[1:] == [*LOADED, begun(1), published(layout, 1)]

    run(work)


def test_the_machine_can_stop_a_load(run: Any) -> None:
    """The worker is ended, and no attempt counts."""

    async def work(desk: Desk) -> None:
        desk.supervisor.hangs_at_load = True
        desk.drop("a cat")
        assert await desk.pause() == HOT
        assert desk.supervisor.calls == ["load own", "close"]
        (job,) = desk.jobs()
        assert (job.attempts, job.losses) == ({}, {})

    run(work)


GPU = RefusedError(Refused(title="There is no GPU", hint="Restart.", cause="gpu"))
MODEL = RefusedError(Refused(title="No such model", hint="Pull it.", cause="model"))
OTHER = RefusedError(Refused(title="Out of ideas", detail="No.", hint="Wait.", cause="other"))


@pytest.mark.parametrize(
    ("model", "refusal", "pause"),
    [
        ("own", GPU, Pause(kind="gpu", title="There is no GPU", hint="Restart.")),
        ("other", GPU, Pause(kind="gpu", title="There is no GPU", hint="Restart.")),
        ("own", MODEL, Pause(kind="model", title="No such model", hint="Pull it.")),
        ("own", OTHER, Pause(kind="model", title="Out of ideas", hint="Wait.")),
        ("own", loss("SIGABRT"), Pause(kind="model", title="Lost by SIGABRT", hint="Do this.")),
    ],
)
def test_a_model_that_all_prompts_need_pauses_the_queue(
    layout: Layout, run: Any, model: str, refusal: MpsDoctorError, pause: Pause
) -> None:
    """So does a missing GPU; then the prompt is rendered in its first attempt."""

    async def work(desk: Desk) -> None:
        desk.drop(f"a cat\nSteps: 4, Model: {model}")
        desk.supervisor.refusals.append(refusal)
        assert await desk.pause() == pause
        assert desk.told() == [events.Claimed("1.txt", "1.txt"), events.Loading(model)]
        assert desk.workers == 0
        await desk.run()
        assert desk.told()[-2:] == [begun(1), published(layout, 1)]

    run(work)


def test_a_model_that_is_refused_fails_the_prompts_that_name_it(layout: Layout, run: Any) -> None:
    """There is no second try, and the other prompts are rendered."""

    async def work(desk: Desk) -> None:
        desk.drop("a cat\nSteps: 4, Model: other", "a dog")
        desk.supervisor.refusals.append(OTHER)
        await desk.run()
        assert desk.told() == [
            events.Claimed("1.txt", "1.txt"),
            events.Loading("other"),
            events.Rejected("1.txt", "1.txt", "Out of ideas", layout.failed / "1.error.txt"),
            events.Claimed("2.txt", "2.txt"),
            *LOADED,
            begun(2),
            published(layout, 2),
        ]
        assert desk.reason_of("1") == (
            "1.txt was not rendered.\n\nOut of ideas\nNo.\n\nWhat to do: Wait.\n"
        )

    run(work)


def test_a_model_that_crashes_twice_fails_the_prompts_that_name_it(
    layout: Layout, run: Any
) -> None:
    """The losses count although no attempt has begun."""

    async def work(desk: Desk) -> None:
        desk.drop("a cat\nSteps: 4, Model: other")
        desk.supervisor.refusals.extend([loss("SIGABRT"), loss("SIGABRT")])
        await desk.run()
        assert desk.told() == [
            events.Claimed("1.txt", "1.txt"),
            events.Loading("other"),
            events.Retrying("1.txt", "1.txt", 1, "Lost by SIGABRT"),
            events.Loading("other"),
            events.Rejected("1.txt", "1.txt", "Lost by SIGABRT", layout.failed / "1.error.txt"),
        ]
        assert "It was tried 2 times; the last time:\nWhy." in desk.reason_of("1")

    run(work)


def alike(count: int, signature: str) -> Pause:
    """The pause after pictures that failed in the same way."""
    return Pause(
        kind="gpu",
        title=f"{count} pictures in a row failed in the same way: Lost by {signature}",
        hint="The next one is tried after a pause. If the prompts have something in common, see "
        "failed/ for what to change. Otherwise restart the Mac and run `mpsdoctor check`.",
    )


def test_pictures_that_fail_in_the_same_way_pause_the_queue(layout: Layout, run: Any) -> None:
    """From the third in a row on; a success or another failure starts the count again."""

    async def work(desk: Desk) -> None:
        prompts = [
            *("crash A", "crash A", "a cat"),
            *("crash A", "crash A", "crash B"),
            *("crash A", "crash A", "crash A", "crash A", "a dog"),
        ]
        desk.drop(*prompts)
        desk.may_begin = False
        assert await desk.pause() == alike(3, "A")
        assert len(names(layout.failed)) == 2 * 8
        assert await desk.pause() == alike(4, "A")
        await desk.run()
        assert names(layout.images) == ["11.png", "3.png"]
        assert len(names(layout.failed)) == 2 * 9

    run(work)


def test_unloading_is_reported_only_with_a_reason_and_a_worker(run: Any) -> None:
    """Its pictures start at 0 again, as it is another worker."""

    async def work(desk: Desk) -> None:
        await desk.renderer.unload("idle")
        desk.drop("a cat")
        await desk.run()
        assert desk.renderer.rendered == 1
        await desk.renderer.unload("idle")
        assert desk.told(events.Unloaded) == [events.Unloaded("idle")]
        assert desk.renderer.rendered == 0
        drop(desk.layout, "2.txt", "a dog")
        await desk.run()
        await desk.renderer.abandon()
        assert desk.supervisor.pid == PID
        await desk.renderer.unload()
        assert desk.supervisor.pid is None
        assert desk.told(events.Unloaded) == [events.Unloaded("idle")]

    run(work)
