"""Jobs on disk, interrupted at every step."""

import contextlib
import errno
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import msgspec
import pytest
from msgspec.structs import replace

from mpsdoctor import files
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.spool import images as images_module
from mpsdoctor.hotfolder.spool.file_state import FileState
from mpsdoctor.hotfolder.spool.images import record_in_picture
from mpsdoctor.hotfolder.spool.job import Failure, Job, is_settled, open_pictures
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.recovery import recover
from mpsdoctor.hotfolder.spool.spool import Spool, UnmovableError
from tests.support.jobs import (
    PowerCutError,
    claim,
    cut_after,
    drop,
    freeze,
    names,
    nfd,
    refusal,
    rendered,
)

REASON = MpsDoctorError("It did not work", detail="Too dark.", hint="More light.")


def places(layout: Layout) -> set[int]:
    """The inodes of files with the prompt: with links, one inode may have two names."""
    files = (path for path in layout.root.rglob("*") if path.is_file())
    return {path.stat().st_ino for path in files if path.read_bytes() == b"a cat"}


def open_jobs(spool: Spool, pictures: int = 1) -> Iterator[Job]:
    """The jobs that an interruption left, then the files in the inbox."""
    for job in recover(spool):
        yield freeze(spool, job, pictures)
    for path in spool.layout.inbox.glob("*.txt"):
        claimed = spool.claim(path.name, FileState.of(path.lstat()))
        assert claimed
        yield freeze(spool, claimed, pictures)


def succeed(spool: Spool) -> None:
    """Brings every prompt to `done/`, with two pictures."""
    for job in open_jobs(spool, 2):
        for number in open_pictures(job):
            job, _ = spool.publish(rendered(spool, job, number), number)
        spool.settle(job)


def fail(spool: Spool) -> None:
    """Brings every prompt to `failed/`."""
    for job in open_jobs(spool):
        spool.fail(job, REASON)


def fail_one(spool: Spool) -> None:
    """The first of two pictures fails, the other is published."""
    for job in open_jobs(spool, 2):
        for number in open_pictures(job):
            job = rendered(spool, job, number)
            if number == 1:
                job = spool.note_failure(job, 1, Failure.of(REASON, "a cat"))
            else:
                job, _ = spool.publish(job, number)
        spool.settle(job)


@pytest.mark.heavy
@pytest.mark.parametrize("by_link", [False, True], ids=["rename", "link"])
@pytest.mark.parametrize(
    ("way", "images", "done", "failed"),
    [
        (succeed, ["cat-2.png", "cat.png"], ["cat.txt"], []),
        (fail, [], [], ["cat.error.txt", "cat.txt"]),
        (fail_one, ["cat-2.png"], [], ["cat.error.txt", "cat.txt"]),
    ],
)
def test_nothing_is_lost_or_done_twice_wherever_it_is_cut(
    spool: Spool,
    way: Callable[[Spool], None],
    images: list[str],
    done: list[str],
    failed: list[str],
    by_link: bool,
) -> None:
    """Interrupted at every step, and again during recovery, a prompt still ends the same."""
    layout = spool.layout

    def go(steps: int) -> bool:
        try:
            with cut_after(steps, by_link=by_link):
                way(spool)
        except PowerCutError:
            assert len(places(layout)) == 1
            return False
        return True

    # By rename, test_crash_points interrupts a real daemon at every second step too.
    for first in itertools.count():
        for second in range(0, 10, 1 if by_link else 3):
            shutil.rmtree(layout.root)
            layout.create()
            drop(layout, "cat.txt", "a cat")
            uncut = go(first)
            go(second)
            assert go(10**6)
            assert names(layout.inbox) == names(layout.work) == []
            assert names(layout.images) == images
            assert names(layout.done) == done
            assert names(layout.failed) == failed
        if uncut:
            break
    assert first >= 12


@pytest.mark.parametrize(
    ("code", "once", "late"),
    [
        (errno.EACCES, False, False),
        (errno.ENOSPC, True, False),
        (errno.EIO, False, True),
        (errno.EIO, True, True),
    ],
)
def test_a_disk_that_refuses_any_step_costs_nothing(
    spool: Spool, code: int, once: bool, late: bool
) -> None:
    """If the disk refuses any step of a job, the next try continues from there."""
    layout = spool.layout
    for step in itertools.count():
        shutil.rmtree(layout.root)
        layout.create()
        drop(layout, "cat.txt", "a cat")
        with (
            contextlib.suppress(OSError, UnmovableError),
            refusal(step, code, once=once, late=late),
        ):
            succeed(spool)
            break
        assert len(places(layout)) == 1
        with cut_after(10**6):
            succeed(spool)
        assert (names(layout.images), names(layout.done)) == (["cat-2.png", "cat.png"], ["cat.txt"])
        assert names(layout.inbox) == names(layout.work) == []
    assert step >= 30


def noted(spool: Spool, job: Job) -> None:
    """The job on disk."""
    (spool.folder(job) / "job.json").write_bytes(msgspec.json.encode(job))


def test_a_failure_that_was_interrupted_is_completed(spool: Spool) -> None:
    """Before the move, between the two moves, and if the chosen name was taken meanwhile."""
    layout = spool.layout
    for number, interrupted in enumerate(("before", "between", "taken"), 1):
        job = claim(spool)
        (spool.folder(job) / "error.txt").write_text("why")
        chosen = f"cat-{number + 5}"
        if interrupted == "between":
            noted(spool, replace(job, failed_as=f"{chosen}.txt"))
            spool.prompt(job).rename(layout.failed / f"{chosen}.txt")
        if interrupted == "taken":
            noted(spool, replace(job, failed_as=f"{chosen}.txt"))
            (layout.failed / f"{chosen}.txt").write_text("mine")
        assert recover(spool) == []
        assert names(layout.work) == []
    assert names(layout.failed) == [
        *("cat-2.error.txt", "cat-2.txt"),
        *("cat-7.error.txt", "cat-7.txt", "cat-8.txt"),
        *("cat.error.txt", "cat.txt"),
    ]
    assert (layout.failed / "cat-8.txt").read_text() == "mine"
    assert (layout.failed / "cat-7.error.txt").read_text() == "why"


def test_a_claim_by_link_that_was_interrupted_is_completed(spool: Spool) -> None:
    """The file has two names then, and loses the one in the inbox; another file stays."""
    job = claim(spool)
    os.link(spool.prompt(job), spool.layout.inbox / "cat.txt")
    assert recover(spool) == [replace(job, sha256="", profile="", pictures=0)]
    assert names(spool.layout.inbox) == []
    drop(spool.layout, "cat.txt", "a cat")
    assert len(recover(spool)) == 1
    assert names(spool.layout.inbox) == ["cat.txt"]


def test_a_published_job_is_not_rendered_again(
    spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    """Recovery recognizes its picture by the record, whatever its name, and acts once."""
    job = rendered(spool, rendered(spool, claim(spool, pictures=2), 1), 2)
    for number in (1, 2):
        spool.picture(job, number).rename(spool.layout.images / f"renamed by the user {number}.png")
    # On disk the job knows nothing of it: the daemon ended between the move and the note.
    caplog.set_level("INFO")
    assert recover(spool) == []
    assert recover(spool) == []
    assert caplog.messages == ["cat.txt: 2 images were already published"]
    assert names(spool.layout.done) == ["cat.txt"]
    assert names(spool.layout.images) == ["renamed by the user 1.png", "renamed by the user 2.png"]


def test_recovery_opens_only_images_that_may_be_wanted(spool: Spool) -> None:
    """Among many images it finds one by its name, and does not open old ones."""
    job = rendered(spool, claim(spool))
    for number in range(50):
        old = spool.layout.images / f"cat {number}.png"
        old.write_bytes(b"old")
        os.utime(old, (1, 1))
        (spool.layout.images / f"new {number}.png").write_bytes(b"new")
    spool.picture(job, 1).rename(spool.layout.images / "cat.png")
    with mock.patch.object(images_module, "record_in_picture", wraps=record_in_picture) as looked:
        assert recover(spool) == []
    assert looked.call_count == 1


def test_an_interrupted_job_keeps_what_was_frozen(spool: Spool) -> None:
    """Recovery returns the same jobs, oldest first, and removes partial pictures."""
    first = rendered(spool, claim(spool, "b.txt"))
    second = spool.note_loss(spool.begin_attempt(claim(spool, "a.txt"), 1), 1, "SIGABRT")
    assert recover(spool) == recover(spool) == [first, second]
    assert not spool.picture(first, 1).exists()
    assert spool.give_back_attempt(first, 1).attempts == {1: 0}
    assert (second.attempts, second.losses) == ({1: 1}, {1: ("SIGABRT",)})
    assert freeze(spool, second) == second


def test_another_profile_starts_a_job_again(spool: Spool) -> None:
    """Attempts with another profile do not count; published pictures stay."""
    job = rendered(spool, claim(spool, pictures=3), 1)
    job, _ = spool.publish(job, 1)
    job = spool.note_failure(spool.note_loss(job, 2, "SIGKILL"), 2, Failure.of(REASON))
    again = spool.freeze(job, sha256="content", profile="another", fallbacks={"own": 2}, pictures=3)
    assert (again.seed, again.published) == (job.seed, {1: "cat.png"})
    assert (again.attempts, again.losses, again.failures, again.fallbacks) == (
        {},
        {},
        {},
        {"own": 2},
    )
    assert open_pictures(again) == [2, 3]


def test_a_damaged_record_costs_no_prompt(spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    """Without a readable job.json the prompt is still rendered, as a new job."""
    for damage in (lambda path: path.write_bytes(b"\0\0\0"), Path.unlink):
        job = claim(spool)
        damage(spool.folder(job) / "job.json")
        (again,) = recover(spool)
        assert replace(again, seed=0) == Job(id=job.id, name=f"{job.id}.txt", seed=0)
        assert spool.prompt(again).read_text() == "a cat"
        assert caplog.messages == [
            f"{spool.folder(job) / 'job.json'} is missing or damaged; the job starts again"
        ]
        caplog.clear()
        spool.finish(again)


def test_recovery_leaves_what_is_not_a_job_alone(spool: Spool, tmp_path: Path) -> None:
    """Other files in .work stay, and so does a link; a job without a prompt is removed."""
    work = spool.layout.work
    (work / "notes.txt").write_text("mine")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "cat.png").touch()
    (work / "link").symlink_to(tmp_path / "mine")
    (work / "0-empty").mkdir()
    (work / "1-claim" / "folder").mkdir(parents=True)
    (work / "1-claim" / "job.json").touch()
    job = claim(spool)
    (spool.folder(job) / "folder").mkdir()
    (spool.folder(job) / "link").symlink_to(tmp_path / "mine")

    assert [one.id for one in recover(spool)] == [job.id]

    assert names(work) == [job.id, "link", "notes.txt"]
    assert names(spool.folder(job)) == ["job.json", "prompt.txt"]
    assert names(tmp_path / "mine") == ["cat.png"]


def test_a_file_that_changed_before_the_claim_goes_back(spool: Spool) -> None:
    """A changed file returns to the inbox, even if its name is taken in the meantime."""
    path = drop(spool.layout, "cat.txt", "a c")
    seen = FileState.of(path.lstat())
    path.write_text("a cat on")
    assert spool.claim("cat.txt", seen) is None
    assert spool.claim("gone.txt", seen) is None
    assert path.read_text() == "a cat on"

    def taken(source: Path, target: Path, move: Callable[[Path, Path], None] = files.move) -> None:
        move(source, target)
        if source == path:
            source.write_text("another")

    with mock.patch("mpsdoctor.hotfolder.spool.spool.move", taken):
        assert spool.claim("cat.txt", seen) is None
    assert names(spool.layout.inbox) == ["cat-2.txt", "cat.txt"]
    assert names(spool.layout.work) == []


def test_no_name_is_taken_twice(spool: Spool) -> None:
    """The user's files are kept; a failed file and its error file have the same number."""
    layout = spool.layout
    mine = (layout.images / "CAT.png", layout.done / "Cat.txt", layout.failed / "cat.Error.txt")
    for path in mine:
        path.write_text("mine")
    job, _ = spool.publish(rendered(spool, claim(spool)), 1)
    spool.finish(job)
    assert spool.fail(claim(spool), REASON) == layout.failed / "cat-2.error.txt"
    assert names(layout.images) == ["CAT.png", "cat-2.png"]
    assert names(layout.done) == ["Cat.txt", "cat-2.txt"]
    assert names(layout.failed) == ["cat-2.error.txt", "cat-2.txt", "cat.Error.txt"]
    for path in mine:
        assert path.read_text() == "mine"


def test_accents_make_no_difference_to_what_is_taken(spool: Spool) -> None:
    """Composed and decomposed accents are the same name."""
    (spool.layout.images / "café.png").touch()
    _, image = spool.publish(rendered(spool, claim(spool, nfd("CAFÉ.txt"))), 1)
    assert image.name == nfd("CAFÉ") + "-2.png"


def test_the_error_names_each_picture_and_what_is_out(spool: Spool) -> None:
    """The text lists the lines to fix, the reasons, and the published images."""
    job = claim(spool, pictures=4)
    job, _ = spool.publish(rendered(spool, job, 2), 2)
    for number, prompt in ((1, "a red cat"), (3, "a blue cat"), (4, "x" * 99)):
        reason = REASON if number < 4 else MpsDoctorError("It is black")
        job = spool.note_failure(job, number, Failure.of(reason, prompt))
    assert is_settled(job)
    error_file = spool.settle(job)
    assert error_file
    assert error_file.read_text() == (
        "3 of the 4 pictures of cat.txt failed.\n\n"
        "Picture 1: a red cat\nPicture 3: a blue cat\n\n"
        "It did not work\nToo dark.\n\nWhat to do: More light.\n\n"
        f"Picture 4: {'x' * 60}…\n\n"
        "It is black\n\n"
        "These images were made from this file and are in the folder images:\n  cat-2.png\n"
        "To make only the others, delete the finished ones from the file, then drop it again.\n"
    )


def test_the_error_of_a_whole_file_is_about_the_file(spool: Spool) -> None:
    """A file that is not a prompt has one reason."""
    error_file = spool.fail(claim(spool), REASON)
    assert error_file.read_text() == (
        "cat.txt was not rendered.\n\nIt did not work\nToo dark.\n\nWhat to do: More light.\n"
    )


@pytest.mark.parametrize(
    ("code", "is_writable", "expected"),
    [
        (errno.EPERM, True, UnmovableError),
        (errno.EACCES, True, UnmovableError),
        (errno.EPERM, False, OSError),
        (errno.EBUSY, False, UnmovableError),
        (errno.ENOSPC, True, OSError),
        (errno.EIO, True, OSError),
    ],
)
def test_a_file_that_cannot_be_moved_is_told_from_a_broken_disk(
    spool: Spool, code: int, is_writable: bool, expected: type[Exception]
) -> None:
    """Only some errors concern one file; the others pause the queue."""
    path = drop(spool.layout, "cat.txt", "a cat")
    seen = FileState.of(path.lstat())
    error = OSError(code, os.strerror(code))
    with (
        mock.patch("mpsdoctor.files.rename_noreplace", side_effect=error),
        mock.patch.object(os, "access", return_value=is_writable) as access,
        pytest.raises(expected) as raised,
    ):
        spool.claim("cat.txt", seen)
    if isinstance(raised.value, UnmovableError):
        assert (raised.value.error, str(raised.value)) == (error, str(error))
    if access.called:
        access.assert_called_once_with(spool.layout.inbox, os.W_OK)
    assert names(spool.layout.inbox) == ["cat.txt"]
    assert names(spool.layout.work) == []
