"""Jobs on disk, cut short at every step."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mpsdoctor import files
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder import spool as spool_module
from mpsdoctor.hotfolder.layout import Layout
from mpsdoctor.hotfolder.recovery import recover
from mpsdoctor.hotfolder.spool import Job, Spool
from mpsdoctor.hotfolder.stability import Sight
from tests.support.hot_folder import drop, names
from tests.support.stand_in_worker import picture

REASON = MpsDoctorError("It did not work", detail="Too dark.", hint="More light.")


def claim(spool: Spool, name: str = "cat.txt", content: str = "a cat") -> Job:
    """Drops and claims a file."""
    path = drop(spool.layout, name, content)
    job = spool.claim(name, Sight.of(path.lstat()))
    assert job
    return job


def rendered(spool: Spool, job: Job) -> Job:
    """After the worker's part of an attempt."""
    job = spool.begin_attempt(job)
    spool.picture(job).write_bytes(picture(job.id))
    return job


class PowerCutError(BaseException):
    """Not to be handled by the code under test."""


def cut_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Lets so many changes of the disk happen, and no other."""
    left = iter(range(steps))

    def limited(change: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **options: Any) -> Any:
            if next(left, None) is None:
                raise PowerCutError
            return change(*args, **options)

        return step

    for place, name in [
        (Path, "mkdir"),
        (Path, "replace"),
        (Path, "unlink"),
        (shutil, "rmtree"),
        (files, "rename_noreplace"),
        (spool_module, "rename_noreplace"),
    ]:
        monkeypatch.setattr(place, name, limited(getattr(place, name)))


def prompts(layout: Layout) -> list[Path]:
    """Every file that holds what was dropped, wherever it is."""
    files = (path for path in layout.root.rglob("*") if path.is_file())
    return [path for path in files if path.read_bytes() == b"a cat"]


def open_jobs(spool: Spool) -> Iterator[Job]:
    """What an earlier cut left, and what lies in the inbox."""
    yield from recover(spool)
    for path in spool.layout.inbox.glob("*.txt"):
        job = spool.claim(path.name, Sight.of(path.lstat()))
        assert job
        yield job


def succeed(spool: Spool) -> None:
    """Brings every prompt to `done/`."""
    for job in open_jobs(spool):
        attempt = rendered(spool, job)
        spool.publish(attempt)
        spool.finish(attempt)


def fail(spool: Spool) -> None:
    """Brings every prompt to `failed/`."""
    for job in open_jobs(spool):
        spool.fail(job, REASON)


@pytest.mark.parametrize(
    ("way", "images", "done", "failed"),
    [
        (succeed, ["cat.png"], ["cat.txt"], []),
        (fail, [], [], ["cat.error.txt", "cat.txt"]),
    ],
)
def test_nothing_is_lost_or_done_twice_wherever_it_is_cut(
    spool: Spool,
    monkeypatch: pytest.MonkeyPatch,
    way: Callable[[Spool], None],
    images: list[str],
    done: list[str],
    failed: list[str],
) -> None:
    """Cut at every step, and again during recovery, a prompt ends as if nothing had been."""
    layout = spool.layout

    def go(steps: int) -> bool:
        with monkeypatch.context() as context:
            cut_after(context, steps)
            context.setattr(files, "_flush", lambda descriptor: None)
            try:
                way(spool)
            except PowerCutError:
                assert len(prompts(layout)) == 1
                return False
        return True

    for first in itertools.count():
        for second in range(8):
            shutil.rmtree(layout.root)
            layout.create()
            drop(layout, "cat.txt", "a cat")
            uncut = go(first)
            go(second)
            way(spool)
            assert names(layout.inbox) == names(layout.work) == []
            assert names(layout.images) == images
            assert names(layout.done) == done
            assert names(layout.failed) == failed
        if uncut:
            break
    assert first >= 8


def test_a_published_job_is_not_rendered_again(spool: Spool) -> None:
    """Recovery knows its picture by the job in it, whatever its name, and acts once."""
    job = rendered(spool, claim(spool))
    image = spool.publish(job)
    image.rename(image.with_name("renamed by the user.png"))
    assert recover(spool) == []
    assert recover(spool) == []
    assert names(spool.layout.done) == ["cat.txt"]
    assert names(spool.layout.images) == ["renamed by the user.png"]


def test_an_interrupted_job_keeps_its_seed_and_attempts(spool: Spool) -> None:
    """What recovery queues again is the same job, oldest first, without the partial picture."""
    first = rendered(spool, claim(spool, "b.txt"))
    second = claim(spool, "a.txt")
    assert recover(spool) == recover(spool) == [first, second]
    assert not spool.picture(first).exists()
    assert spool.give_back_attempt(first).attempts == 0


def test_a_damaged_record_costs_no_prompt(spool: Spool) -> None:
    """Without a readable job.json the prompt is still rendered, as a new job."""
    job = claim(spool)
    (spool.folder(job) / "job.json").write_bytes(b"\0\0\0")
    (again,) = recover(spool)
    assert again.id == job.id
    assert spool.prompt(again).read_text() == "a cat"


def test_a_file_that_changed_before_the_claim_goes_back(spool: Spool) -> None:
    """What is not as it was seen stays the user's, even if the name is taken meanwhile."""
    path = drop(spool.layout, "cat.txt", "a c")
    seen = Sight.of(path.lstat())
    path.write_text("a cat on")
    assert spool.claim("cat.txt", seen) is None
    assert spool.claim("gone.txt", seen) is None
    assert path.read_text() == "a cat on"
    assert names(spool.layout.work) == []


def test_no_name_is_taken_twice(spool: Spool) -> None:
    """Files of the user in images, done and failed stay; pairs in failed keep one number."""
    layout = spool.layout
    mine = (layout.images / "cat.png", layout.done / "cat.txt", layout.failed / "cat.error.txt")
    for path in mine:
        path.write_text("mine")
    job = rendered(spool, claim(spool))
    spool.publish(job)
    spool.finish(job)
    assert spool.fail(claim(spool), REASON) == layout.failed / "cat-2.error.txt"
    assert names(layout.images) == ["cat-2.png", "cat.png"]
    assert names(layout.done) == ["cat-2.txt", "cat.txt"]
    assert names(layout.failed) == ["cat-2.error.txt", "cat-2.txt", "cat.error.txt"]
    text = (layout.failed / "cat-2.error.txt").read_text()
    assert all(part in text for part in ("cat.txt", "It did not work", "Too dark.", "More light."))
    for path in mine:
        assert path.read_text() == "mine"
