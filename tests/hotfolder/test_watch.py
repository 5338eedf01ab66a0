"""The entire daemon: real folders, processes and signals, and a worker that fails on demand."""

import json
import os
import random
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from mpsdoctor.hotfolder.spool.images import record_in_picture
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.status.status import read_status
from mpsdoctor.hotfolder.worker.timeouts import Timeouts
from mpsdoctor.prompts.document import MAX_BYTES
from tests.support.hot_folder import INTERVALS, running, wait_until
from tests.support.jobs import drop, names

pytestmark = pytest.mark.heavy

# root may read everything; without these two rights it is as anybody else.
_AS_ANYBODY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def reason(layout: Layout, name: str) -> str:
    """The text of an error file."""
    return (layout.failed / f"{name}.error.txt").read_text()


def rendering(layout: Layout) -> str | None:
    """The file that is being rendered, as another process sees it."""
    current = read_status(layout.root).current
    return current.name if current else None


def worker_in_status(layout: Layout) -> int | None:
    """The worker's process, as another process sees it."""
    worker = read_status(layout.root).worker
    return worker.pid if worker else None


def test_dropped_prompts_become_images(layout: Layout) -> None:
    """Prompts dropped before and after the start are rendered, even one written in pieces."""
    drop(layout, "before.txt", "a cat")
    (layout.images / "before.png").write_text("mine")
    with running(layout) as daemon:
        daemon.wait_for("Published", name="before.txt")
        with (layout.inbox / "slowly.TXT").open("w") as file:
            for word in ("noisy ", "and ", "slow ") * 4:
                file.write(word)
                file.flush()
                time.sleep(0.02)
        daemon.wait_for("Published", name="slowly.TXT")
        assert daemon.end() == 0
    assert names(layout.inbox) == []
    assert names(layout.done) == ["before.txt", "slowly.TXT"]
    assert names(layout.images) == ["before-2.png", "before.png", "slowly.png"]
    assert (layout.images / "before.png").read_text() == "mine"
    claimed = {event["name"]: event["job"] for event in daemon.seen if event["kind"] == "Claimed"}
    record = record_in_picture(layout.images / "slowly.png")
    assert record
    assert (record.job, record.picture) == (claimed["slowly.TXT"], 1)
    assert not (layout.work / claimed["slowly.TXT"]).exists()


def test_a_file_that_is_not_a_prompt_fails_and_the_queue_continues(
    layout: Layout, tmp_path: Path
) -> None:
    """Anything else in the inbox moves to failed/ unchanged, with its reason."""
    secret = tmp_path / "secret.txt"
    secret.write_text("never read")
    drop(layout, "empty.txt", "")
    drop(layout, "blank.txt", " \n")
    drop(layout, "binary.txt", b"\x89PNG\0\1\2")
    drop(layout, "large.txt", "x" * (MAX_BYTES + 1))
    drop(layout, "photo.jpg", b"\xff\xd8\xff")
    drop(layout, "letter.rtf", "{\\rtf1 a cat}")
    drop(layout, "cat.error.txt", "The picture of cat.txt could not be rendered")
    drop(layout, "a" * 251 + ".txt", b"\xff")
    (layout.inbox / "link.txt").symlink_to(secret)
    os.mkfifo(layout.inbox / "pipe.txt")
    (layout.inbox / "folder").mkdir()
    (layout.inbox / "folder" / "inside.txt").write_text("a cat")
    for ignored in (".hidden.txt", "._cat.txt", "cat.txt.part"):
        (layout.inbox / ignored).write_text("not for us")
    with running(layout) as daemon:
        rejected = {daemon.wait_for("Rejected")["name"] for _ in range(11)}
        drop(layout, "good.txt", "a cat")
        daemon.wait_for("Published", name="good.txt")
        assert daemon.end() == 0
    assert len(rejected) == 11
    assert names(layout.inbox) == ["._cat.txt", ".hidden.txt", "cat.txt.part"]
    assert len(names(layout.failed)) == 22
    assert reason(layout, "binary").startswith("binary.txt was not rendered.\n\n")
    assert (layout.failed / "link.txt").readlink() == secret
    assert (layout.failed / "folder" / "inside.txt").read_text() == "a cat"
    assert (layout.failed / ("a" * 251 + ".txt")).read_bytes() == b"\xff"


@pytest.mark.skipif(
    os.geteuid() == 0 and not shutil.which("setpriv"), reason="root reads everything"
)
def test_what_the_system_withholds_does_not_stop_the_queue(layout: Layout) -> None:
    """An unreadable file fails; a file that cannot be moved stays and is reported once."""
    drop(layout, "locked.txt", "a cat").chmod(0)
    held = layout.inbox / "held"
    held.mkdir()
    held.chmod(0o500)
    wrapper = _AS_ANYBODY if os.geteuid() == 0 else ()
    with running(layout, wrapper=wrapper) as daemon:
        daemon.wait_for("Rejected", name="locked.txt")
        daemon.wait_for("Unmovable", name="held", reason="Permission denied")
        for name in ("one.txt", "two.txt"):
            drop(layout, name, "a cat")
            daemon.wait_for("Published", name=name)
        assert daemon.end() == 0
    assert "cannot be read" in reason(layout, "locked")
    assert names(layout.inbox) == ["held"]
    assert [event["kind"] for event in daemon.seen].count("Unmovable") == 1


def test_a_worker_that_fails_costs_only_its_own_prompt(layout: Layout) -> None:
    """After a crash, a hang or a torn picture it is tried again; the rest is rendered."""
    troubles = ("abort", "hang", "torn", "abort-once")
    for name in troubles:
        drop(layout, f"{name}.txt", f"{name} please")
    with running(layout, intervals=replace(INTERVALS, worker=Timeouts(first_step=0.7))) as daemon:
        for name in troubles[:-1]:
            drop(layout, f"after {name}.txt", "a cat")
        wait_until(lambda: len(names(layout.done)) + len(names(layout.failed)) == 4 + 2 * 3)
        assert daemon.end() == 0
        daemon.wait_for("Stopped")
    assert names(layout.images) == [
        "abort-once.png",
        *(f"after {name}.png" for name in sorted(troubles[:-1])),
    ]
    assert "failed assertion" in reason(layout, "abort")
    assert "The worker hung while it prepared the first step\n" in reason(layout, "hang")
    assert "The worker's picture is incomplete\n" in reason(layout, "torn")
    tries = [event["name"] for event in daemon.seen if event["kind"] == "Rendering"]
    assert min(tries.count(f"{name}.txt") for name in troubles) >= 2
    ends = [event["name"] for event in daemon.seen if event["kind"] in ("Published", "Rejected")]
    assert sorted(ends) == sorted(
        [f"{name}.txt" for name in troubles] + [f"after {name}.txt" for name in troubles[:-1]]
    )


def test_a_signal_ends_it_and_the_prompt_is_taken_up_again(layout: Layout) -> None:
    """In the middle of a picture, daemon and worker end at once, and no attempt counts."""
    drop(layout, "cat.txt", "slow 30")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with running(layout) as daemon:
            assert daemon.wait_for("Rendering")["attempt"] == 1
            worker = psutil.Process(daemon.worker())
            assert daemon.end(number, seconds=10) == 0
            assert not worker.is_running()
        (folder,) = (path for path in layout.work.iterdir() if path.is_dir())
        job = json.loads((folder / "job.json").read_bytes())
        assert job["attempts"] == {"1": 0}
    (folder / "prompt.txt").write_text("a cat")
    with running(layout) as daemon:
        assert daemon.wait_for("Started")["resumed"] == 1
        assert daemon.wait_for("Published")["job"] == job["id"]
        assert daemon.end() == 0
    assert f"seed\0{job['seed']}".encode() in (layout.images / "cat.png").read_bytes()


def test_killed_again_and_again_it_publishes_each_prompt_once(layout: Layout) -> None:
    """After kill -9 at any moment, a new daemon continues; no prompt is lost or rendered twice."""
    prompts = [f"{number}.txt" for number in range(8)]
    for name in prompts:
        drop(layout, name, "slow 0.02")
    chance = random.Random(1)
    for _ in range(2):
        with running(layout) as daemon:
            # An attempt that a kill ended counts, so the job that was hit gets its turn first.
            daemon.wait_for("Published")
            with pytest.raises(AssertionError):
                daemon.wait_for("never", seconds=chance.uniform(0, 0.25))
            daemon.kill()
        dropped = [
            *names(layout.inbox),
            *names(layout.done),
            *(
                json.loads((folder / "job.json").read_bytes())["name"]
                for folder in layout.work.iterdir()
                if (folder / "prompt.txt").exists()
            ),
        ]
        assert sorted(dropped) == sorted(prompts)
    with running(layout) as daemon:
        daemon.wait_for("Started")
        wait_until(lambda: len(names(layout.done)) == len(prompts))
        assert daemon.end() == 0
    assert names(layout.done) == sorted(prompts)
    assert names(layout.images) == sorted(name.replace(".txt", ".png") for name in prompts)
    assert names(layout.failed) == names(layout.inbox) == []


def test_a_second_daemon_refuses_and_status_tells_of_the_first(layout: Layout) -> None:
    """A folder has one daemon; status shows its process and its progress."""
    assert not read_status(layout.root).running
    with running(layout) as daemon:
        drop(layout, "bad.txt", "fail please")
        daemon.wait_for("Rejected")
        drop(layout, "cat.txt", "slow 0.4")
        drop(layout, "dog.txt", "slow 30")
        daemon.wait_for("Stepped", step=2)
        wait_until(lambda: rendering(layout) == "cat.txt")
        status = read_status(layout.root)
        assert status.running
        assert status.pid == daemon.process.pid
        assert (status.inbox, status.work, status.done, status.failed) == (0, 2, 0, 1)
        assert status.current
        assert status.current.steps == 4
        assert [result.name for result in status.results] == ["bad.txt"]
        wait_until(lambda: worker_in_status(layout) == daemon.worker())
        with running(layout) as second:
            assert str(daemon.process.pid) in second.wait_for("Error")["title"]
            assert second.wait() == 1
        daemon.wait_for("Published", name="cat.txt")
        assert daemon.end() == 0
    status = read_status(layout.root)
    assert (status.running, status.pid, status.current) == (False, None, None)


def test_told_to_finish_it_ends_after_the_picture_in_hand(layout: Layout) -> None:
    """After SIGUSR1 the picture in hand is published, and the other prompts wait."""
    drop(layout, "cat.txt", "slow 0.2")
    drop(layout, "dog.txt", "slow 0.2")
    with running(layout) as daemon:
        daemon.wait_for("Stepped", step=1)
        daemon.process.send_signal(signal.SIGUSR1)
        daemon.wait_for("Stopping")
        daemon.wait_for("Published")
        assert daemon.wait() == 0
    assert len(names(layout.images)) == len(names(layout.done)) == 1


def test_signals_that_were_ignored_at_the_start_do_not_end_it(layout: Layout) -> None:
    """`nohup` ignores SIGHUP, and `&` in a script SIGINT; SIGTERM always ends it."""
    ignored = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
    with running(layout, ignored=ignored) as daemon:
        daemon.wait_for("Started")
        for number in ignored[:2]:
            daemon.process.send_signal(number)
        drop(layout, "cat.txt", "a cat")
        daemon.wait_for("Published")
        assert daemon.end() == 0


def test_folders_that_the_user_deletes_come_back(layout: Layout) -> None:
    """Deleting the inbox loses the file events, not the prompts that come after.

    A picture that is being rendered then is rendered once.
    """
    with running(layout) as daemon:
        daemon.wait_for("Started")
        for folder in (layout.inbox, layout.images, layout.done):
            folder.rmdir()
        wait_until(layout.inbox.exists)
        drop(layout, "cat.txt", "slow 0.1")
        daemon.wait_for("Rendering")
        layout.images.rmdir()
        daemon.wait_for("Published")
        drop(layout, "dog.txt", "slow 0.1")
        daemon.wait_for("Stepped", name="dog.txt")
        layout.inbox.rmdir()
        daemon.wait_for("Published")
        assert daemon.end() == 0
    begun = [event["name"] for event in daemon.seen if event["kind"] == "Rendering"]
    assert begun.count("dog.txt") == 1


def test_a_hot_folder_that_has_gone_is_waited_for(layout: Layout) -> None:
    """Renamed or ejected in the middle of a picture, it continues once the folder is back."""
    drop(layout, "cat.txt", "slow 0.2")
    away = layout.root.with_name("ejected")
    with running(layout) as daemon:
        daemon.wait_for("Stepped")
        layout.root.rename(away)
        while daemon.wait_for("Paused")["pause"]["kind"] != "folder":
            pass  # the worker may be the first to notice
        assert not layout.root.exists()
        drop(Layout(away), "dog.txt", "a dog")
        away.rename(layout.root)
        daemon.wait_for("Resumed")
        daemon.wait_for("Published", name="dog.txt")
        assert daemon.end() == 0
    assert names(layout.done) == ["cat.txt", "dog.txt"]
    assert names(layout.images) == ["cat.png", "dog.png"]
