"""Which picture comes next, and how its job ends, in real folders."""

import errno
import itertools
import os
import shutil
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.inbox.inbox import Inbox
from mpsdoctor.hotfolder.queue import Queue, Task
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.recovery import recover
from mpsdoctor.hotfolder.spool.spool import Spool
from mpsdoctor.hotfolder.status import events
from mpsdoctor.hotfolder.status.events import Event
from mpsdoctor.profile.settings import Profile, fingerprint
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.protocol import RenderJob
from tests.support.jobs import drop, names, refusal
from tests.support.stand_in_worker import picture

NOW = 100.0
OWN = Profile(model="own", width=128)
OTHER = Profile(model="org/other", num_inference_steps=9)
REASON = MpsDoctorError("It is black", detail="Too dark.", hint="More light.")
FULL = OSError(errno.ENOSPC, "No space left on device")

pytestmark = pytest.mark.usefixtures("unflushed")


@pytest.fixture
def told() -> list[Event]:
    """The events of the queue."""
    return []


@pytest.fixture
def queue(spool: Spool, told: list[Event]) -> Queue:
    """Takes what is dropped at its first look."""
    inbox = Inbox(spool, settle=0.0, settle_empty=0.0, on_unmovable=lambda *_: None)
    return Queue(spool, inbox, [OWN, OTHER], told.append)


def taken(queue: Queue, *in_hand: Task) -> Task:
    """The next picture, which there must be."""
    task = queue.next(NOW, deque(in_hand))
    assert task
    return task


def rendered(queue: Queue, task: Task) -> None:
    """The worker's part."""
    queue.picture(task).write_bytes(picture(task.job.id, 0, task.number))


def test_jobs_of_an_earlier_daemon_come_first_then_the_oldest_file(
    layout: Layout, spool: Spool, queue: Queue, told: list[Event]
) -> None:
    """Each is opened when its turn comes, and a picture in hand is passed over."""
    assert queue.must_resume
    drop(layout, "b.txt", "a bird")
    queue.resume()
    earlier = taken(queue).job
    drop(layout, "c.txt", "--prompt cat --seed 1\n--prompt crow --seed 2")
    os.utime(drop(layout, "a.txt", "an ape"), (1, 1))
    told.clear()

    assert queue.resume() == 1
    assert queue.has_waiting(NOW)
    tasks: list[Task] = []
    for claimed in (0, 1, 2, 2):
        tasks.append(taken(queue, *tasks))
        assert len(told) == claimed

    assert queue.next(NOW, deque(tasks)) is None
    assert not queue.has_waiting(NOW)
    assert [(task.job.name, task.number, task.request.prompt) for task in tasks] == [
        ("b.txt", 1, "a bird"),
        ("a.txt", 1, "an ape"),
        ("c.txt", 1, "cat"),
        ("c.txt", 2, "crow"),
    ]
    assert tasks[0].job == earlier
    assert tasks[2].of is tasks[3].of
    assert told == [events.Claimed(task.job.id, task.job.name) for task in (tasks[1], tasks[2])]


def test_an_attempt_counts_before_the_worker_gets_its_command(
    layout: Layout, spool: Spool, queue: Queue, told: list[Event]
) -> None:
    """The command has all that the picture depends on, and a file of its own for each attempt."""
    drop(layout, "many.txt", "--prompt cat --seed 7\n--prompt dog --seed 8")
    queue.resume()
    first = taken(queue)
    for attempt in (1, 2):
        told.clear()
        second = taken(queue, first)
        command = queue.begin(second)
        folder = layout.work / second.job.id
        assert command == RenderJob(
            job=second.job.id,
            number=2,
            request=Request(prompt="dog", seed=8),
            output=str(folder / f"image-2-{attempt}.png"),
            profile=fingerprint(OWN),
            fallback=0,
        )
        assert told == [events.Rendering(second.job.id, "many.txt", 2, 2, attempt)]
        assert recover(spool) == [second.job]
        assert second.job.attempts == {2: attempt}


def test_a_job_ends_with_its_last_picture(layout: Layout, queue: Queue, told: list[Event]) -> None:
    """Published pictures keep the notes of the prompt and of the worker, in this order."""
    drop(
        layout,
        "many.txt",
        "--prompt cat --restore_faces true\n--prompt dog\n--prompt bird\n--prompt ape",
    )
    queue.resume()
    for number in (1, 2, 3, 4):
        task = taken(queue)
        assert task.number == number
        queue.begin(task)
        if number in (2, 3):
            queue.give_up(task, REASON if number == 3 else MpsDoctorError("It is white"))
        else:
            rendered(queue, task)
            queue.publish(task, 2.5, ("a note",), "a remedy")
        if number < 4:
            assert names(layout.failed) == []
    job = task.job
    assert [event for event in told if isinstance(event, events.Published | events.Rejected)] == [
        events.Published(
            job.id,
            "many.txt",
            layout.images / "many.png",
            2.5,
            ("--restore_faces true has no effect here", "a note"),
            "a remedy",
            1,
        ),
        events.Published(
            job.id, "many.txt", layout.images / "many-4.png", 2.5, ("a note",), "a remedy", 4
        ),
        events.Rejected(job.id, "many.txt", "It is white", layout.failed / "many.error.txt"),
    ]
    assert queue.next(NOW, deque()) is None
    assert names(layout.work) == []
    error_file = (layout.failed / "many.error.txt").read_text()
    assert ":\n  many.png\n  many-4.png\n" in error_file
    drop(layout, "one.txt", "a cat")
    task = taken(queue)
    queue.begin(task)
    rendered(queue, task)
    queue.publish(task, 1.0, (), "")
    assert names(layout.done) == ["one.txt"]
    assert queue.next(NOW, deque()) is None


def test_a_lost_worker_costs_an_attempt_until_it_is_given_up(
    layout: Layout, spool: Spool, queue: Queue, told: list[Event]
) -> None:
    """Three different losses are enough; a loss at loading counts without an attempt."""
    drop(layout, "two.txt", "--prompt cat\n--prompt dog")
    queue.resume()
    first = taken(queue)
    task = taken(queue, first)
    job = task.job.id
    assert not queue.lose(task, "load", REASON)
    assert recover(spool)[0].losses == {2: ("load",)}
    queue.begin(task)
    queue.begin(task)
    assert not queue.lose(task, "crash", REASON)
    assert queue.lose(task, "hang", REASON)
    queue.give_up(first, MpsDoctorError("It is white"))
    assert [event for event in told if not isinstance(event, events.Rendering)] == [
        events.Claimed(job, "two.txt"),
        events.Retrying(job, "two.txt", 1, "It is black", 2),
        events.Retrying(job, "two.txt", 2, "It is black", 2),
        events.Rejected(job, "two.txt", "It is white", layout.failed / "two.error.txt"),
    ]
    assert (layout.failed / "two.error.txt").read_text() == (
        "2 of the 2 pictures of two.txt failed.\n\n"
        "Picture 1: cat\n\nIt is white\n\n"
        "Picture 2: dog\n\nIt is black\nIt was tried 3 times; the last time:\n"
        "Too dark.\n\nWhat to do: More light.\n"
    )


def test_a_picture_that_ended_the_daemon_three_times_is_given_up(
    layout: Layout, queue: Queue, told: list[Event]
) -> None:
    """No attempt is recorded as lost then; the other pictures of the file are rendered."""
    drop(layout, "many.txt", "--prompt cat\n--prompt dog")
    for _ in range(3):
        queue.resume()
        queue.begin(taken(queue))
    queue.resume()
    told.clear()
    task = taken(queue)
    assert task.number == 2
    queue.begin(task)
    rendered(queue, task)
    queue.publish(task, 1.0, (), "")
    assert told[-1] == events.Rejected(
        task.job.id,
        "many.txt",
        "mpsdoctor was interrupted 3 times while it rendered this picture",
        layout.failed / "many.error.txt",
    )
    assert (layout.failed / "many.error.txt").read_text() == (
        "1 of the 2 pictures of many.txt failed.\n\nPicture 1: cat\n\n"
        "mpsdoctor was interrupted 3 times while it rendered this picture\n"
        "The Mac may have run out of memory or lost power. The picture is not tried again, so "
        "that the other prompts get their turn.\n\n"
        "What to do: To try it anyway, move the file back into inbox.\n\n"
        "These images were made from this file and are in the folder images:\n  many-2.png\n"
        "To make only the others, delete the finished ones from the file, then drop it again.\n"
    )


def test_a_file_whose_only_picture_ended_the_daemon_is_settled_without_a_picture(
    layout: Layout, queue: Queue
) -> None:
    """The next file gets its turn in the same call or the next."""
    drop(layout, "cat.txt", "a cat")
    for _ in range(3):
        queue.resume()
        queue.begin(taken(queue))
    queue.resume()
    assert queue.next(NOW, deque()) is None
    assert names(layout.failed) == ["cat.error.txt", "cat.txt"]
    assert not queue.has_waiting(NOW)


def begin(queue: Queue, task: Task) -> None:
    queue.begin(task)


def give_back(queue: Queue, task: Task) -> None:
    queue.give_back(task)


def publish(queue: Queue, task: Task) -> None:
    queue.publish(task, 1.0, (), "")


@pytest.mark.parametrize("do", [begin, give_back, publish])
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_a_disk_that_refuses_any_step_of_an_attempt_does_not_count_it(
    layout: Layout, spool: Spool, queue: Queue, do: Callable[[Queue, Task], None], late: bool
) -> None:
    """Whether it refuses before a change or after it, the picture is rendered or published once."""
    for step in itertools.count():
        for folder in layout.folders:
            shutil.rmtree(folder)
        layout.create()
        drop(layout, "cat.txt", "a cat")
        queue.resume()
        task = taken(queue)
        if do is not begin:
            queue.begin(task)
            rendered(queue, task)
        refused = False
        with refusal(step, errno.EIO, once=True, late=late):
            try:
                do(queue, task)
            except OSError:
                refused = queue.must_resume = True  # as the daemon does
        if not refused and not queue.must_resume:
            break
        queue.resume()
        if names(layout.images):
            assert (names(layout.images), names(layout.done)) == (["cat.png"], ["cat.txt"])
            assert queue.next(NOW, deque()) is None
        else:
            assert taken(queue).job.attempts.get(1, 0) == 0
            assert [job.attempts.get(1, 0) for job in recover(spool)] == [0]
        assert not queue.must_resume
    assert step >= 3


def test_an_attempt_that_a_full_disk_keeps_is_given_back_when_it_resumes(
    layout: Layout, spool: Spool, queue: Queue
) -> None:
    """Else the third full disk would look like a prompt that was interrupted three times."""
    drop(layout, "1.txt", "a cat")
    queue.resume()
    first = taken(queue)
    queue.begin(first)
    queue.lose(first, "crash", REASON)
    drop(layout, "2.txt", "a dog")
    for _ in range(3):
        task = taken(queue, taken(queue))
        queue.begin(task)
        with mock.patch.object(spool, "give_back_attempt", side_effect=FULL):
            queue.give_back(task)
        assert queue.must_resume
        queue.resume()
    assert [job.attempts for job in recover(spool)] == [{1: 1}, {1: 0}]


def test_an_attempt_is_given_back_once(layout: Layout, spool: Spool, queue: Queue) -> None:
    """What a resume has set right says nothing about the attempts that begin after it."""
    drop(layout, "cat.txt", "a cat")
    queue.resume()
    task = taken(queue)
    queue.begin(task)
    with mock.patch.object(spool, "give_back_attempt", side_effect=FULL):
        queue.give_back(task)
    queue.resume()
    queue.begin(taken(queue))
    queue.resume()
    assert taken(queue).job.attempts == {1: 1}


def test_a_file_that_the_disk_does_not_read_keeps_its_turn(layout: Layout, queue: Queue) -> None:
    """The error is raised, and the file is opened at the next try."""
    drop(layout, "cat.txt", "a cat")
    queue.resume()
    open_file = os.open

    def broken(path: Any, *rest: Any, **options: Any) -> int:
        if os.fspath(path).endswith("prompt.txt"):
            raise OSError(errno.EIO, "Input/output error")
        return open_file(path, *rest, **options)

    with mock.patch.object(os, "open", broken), pytest.raises(OSError, match="Input/output"):
        queue.next(NOW, deque())
    assert queue.has_waiting(NOW)
    assert taken(queue).job.name == "cat.txt"


def test_one_call_rejects_one_file(layout: Layout, queue: Queue, told: list[Event]) -> None:
    """Else a thousand such files would delay signals and pictures."""
    for number in range(3):
        drop(layout, f"{number}.jpg", "not a prompt")
    drop(layout, "cat.txt", "a cat")
    queue.resume()
    for rejected in range(3):
        assert len(names(layout.failed)) == 2 * rejected
        assert queue.next(NOW, deque()) is None
        assert queue.has_waiting(NOW)
    assert taken(queue).job.name == "cat.txt"
    assert not queue.has_waiting(NOW)
    assert [replace(event, job="") for event in told if isinstance(event, events.Rejected)] == [
        events.Rejected(
            "", f"{n}.jpg", "This is not a prompt file", layout.failed / f"{n}.jpg.error.txt"
        )
        for n in range(3)
    ]


def test_each_picture_is_rendered_with_the_settings_of_its_model(
    layout: Layout, queue: Queue
) -> None:
    """A prompt that names another model gets that model's profile, and its record says so."""
    drop(layout, "1.txt", "a cat")
    drop(layout, "2.txt", "a cat\nSteps: 4, Model: other")
    queue.resume()
    for profile in (OWN, OTHER):
        task = taken(queue)
        assert profile == task.profile
        assert fingerprint(profile) == queue.begin(task).profile == task.job.profile
        queue.give_up(task, REASON)


def test_a_file_may_use_several_models(layout: Layout, queue: Queue) -> None:
    """Its job depends on all their profiles, and each picture has its own."""
    drop(layout, "both.txt", "--prompt cat --sd_model other\n--prompt dog --sd_model own")
    queue.resume()
    first = taken(queue)
    second = taken(queue, first)
    assert (first.profile, second.profile) == (OTHER, OWN)
    assert first.job.profile == fingerprint(OTHER, OWN)
    assert first.job.fallbacks == {"own": 0, "org/other": 0}


def test_a_model_that_no_profile_has_rejects_the_file(layout: Layout, queue: Queue) -> None:
    """No picture of it is begun."""
    drop(layout, "cat.txt", "a cat\nSteps: 4, Model: third")
    queue.resume()
    assert queue.next(NOW, deque()) is None
    assert names(layout.failed) == ["cat.error.txt", "cat.txt"]


def test_what_repaired_a_picture_of_one_model_is_not_tried_on_another(
    layout: Layout, queue: Queue
) -> None:
    """A later picture of the same model begins at the highest fallback that helped."""
    queue.resume()
    begun = []
    for number, (model, fallback) in enumerate(
        [("own", 3), ("own", 1), ("own", 0), ("other", 0), ("other", 2)], 1
    ):
        drop(layout, f"{number}.txt", f"a cat\nSteps: 4, Model: {model}")
        task = taken(queue)
        begun.append(queue.begin(task).fallback)
        queue.note_cure(task, fallback)
        queue.give_up(task, REASON)
    assert begun == [0, 3, 3, 0, 0]
