"""Which picture comes next, where the disk refuses and files are no prompts."""

import errno
from collections import deque
from unittest import mock

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.inbox.inbox import Inbox
from mpsdoctor.hotfolder.queue import Queue
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.spool import Spool
from mpsdoctor.profile.settings import Profile, fingerprint
from tests.support.jobs import drop, names

NOW = 100.0
FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def queue(spool: Spool) -> Queue:
    """Takes what is dropped at its first look."""
    inbox = Inbox(spool, settle=0.0, settle_empty=0.0, on_unmovable=lambda *_: None)
    return Queue(spool, inbox, [Profile(model="stand-in")], lambda _: None)


def test_an_attempt_that_a_full_disk_keeps_is_given_back_when_it_resumes(
    layout: Layout, spool: Spool, queue: Queue
) -> None:
    """Else the third full disk would look like a prompt that was cut off three times."""
    drop(layout, "cat.txt", "a cat")
    queue.resume()
    for _ in range(3):
        task = queue.next(NOW, deque())
        assert task
        queue.begin(task)
        with mock.patch.object(spool, "give_back_attempt", side_effect=FULL):
            queue.give_back(task)
        assert queue.must_resume
        queue.resume()
    task = queue.next(NOW, deque())
    assert task
    assert task.job.attempts == {1: 0}


def test_one_call_rejects_one_file(layout: Layout, queue: Queue) -> None:
    """So that a thousand files that are no prompts hold up neither signals nor a picture."""
    for number in range(3):
        drop(layout, f"{number}.jpg", "no prompt")
    drop(layout, "cat.txt", "a cat")
    queue.resume()
    for rejected in range(3):
        assert len(names(layout.failed)) == 2 * rejected
        assert queue.next(NOW, deque()) is None
        assert queue.has_waiting(NOW)
    assert queue.next(NOW, deque())
    assert not queue.has_waiting(NOW)


def test_each_picture_is_rendered_with_the_settings_of_its_model(
    layout: Layout, spool: Spool
) -> None:
    """A prompt that names another model gets that model's profile, and its record says so."""
    own, other = Profile(model="own", width=128), Profile(model="org/other", num_inference_steps=9)
    inbox = Inbox(spool, settle=0.0, settle_empty=0.0, on_unmovable=lambda *_: None)
    queue = Queue(spool, inbox, [own, other], lambda _: None)
    drop(layout, "1.txt", "a cat")
    drop(layout, "2.txt", "a cat\nSteps: 4, Model: other")
    queue.resume()
    for profile in (own, other):
        task = queue.next(NOW, deque())
        assert task
        assert profile == task.profile
        assert fingerprint(profile) == queue.begin(task).profile == task.job.profile
        queue.give_up(task, MpsDoctorError("enough"))


def test_what_cured_a_picture_of_one_model_is_not_tried_on_another(
    layout: Layout, spool: Spool
) -> None:
    """A later picture of the same model begins there; one of another model at the first."""
    inbox = Inbox(spool, settle=0.0, settle_empty=0.0, on_unmovable=lambda *_: None)
    queue = Queue(spool, inbox, [Profile(model="own"), Profile(model="other")], lambda _: None)
    queue.resume()
    begun = []
    for number, model in enumerate(("own", "own", "other"), 1):
        drop(layout, f"{number}.txt", f"a cat\nSteps: 4, Model: {model}")
        task = queue.next(NOW, deque())
        assert task
        begun.append(queue.begin(task).fallback)
        queue.note_cure(task, 3 if model == "own" else 0)
        queue.give_up(task, MpsDoctorError("enough"))
    assert [0, 3, 0] == begun
