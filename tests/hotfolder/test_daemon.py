"""The entire daemon: real folders, processes and signals, and a worker that fails on demand."""

import json
import os
import random
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import psutil
import pytest

from mpsdoctor.facts.records import Pressure
from mpsdoctor.files import replace_file
from mpsdoctor.hotfolder.machine.policy import Readings
from mpsdoctor.hotfolder.spool.images import record_in_picture
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.status.status import read_status
from mpsdoctor.hotfolder.worker.timeouts import Timeouts
from mpsdoctor.prompts.document import MAX_BYTES
from tests.support.hot_folder import INTERVALS, running, wait_until
from tests.support.jobs import drop, names

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
    assert "holds no prompt" in reason(layout, "empty")
    assert "holds no prompt" in reason(layout, "blank")
    assert "not plain text" in reason(layout, "binary")
    assert f"{MAX_BYTES + 1:,} bytes" in reason(layout, "large")
    assert "end in .txt" in reason(layout, "photo.jpg")
    assert "end in .txt" in reason(layout, "letter.rtf")
    assert "without `.error`" in reason(layout, "cat.error")
    assert "link" in reason(layout, "link")
    assert "not a regular file" in reason(layout, "pipe")
    assert "folder" in reason(layout, "folder")
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
        daemon.wait_for("Unmovable", name="held")
        for name in ("one.txt", "two.txt"):
            drop(layout, name, "a cat")
            daemon.wait_for("Published", name=name)
        assert daemon.end() == 0
    assert "cannot be read" in reason(layout, "locked")
    assert names(layout.inbox) == ["held"]
    assert [event["kind"] for event in daemon.seen].count("Unmovable") == 1


def test_a_worker_that_fails_costs_only_its_own_prompt(layout: Layout) -> None:
    """Crash, hang, corruption, a torn picture: tried again, then a reason; the rest is rendered."""
    troubles = ("abort", "corrupt", "exit", "fail", "hang", "large", "torn", "abort-once")
    for name in troubles:
        drop(layout, f"{name}.txt", f"{name} please")
    with running(layout, intervals=replace(INTERVALS, worker=Timeouts(first_step=0.7))) as daemon:
        for name in troubles[:-1]:
            drop(layout, f"after {name}.txt", "a cat")
        wait_until(lambda: len(names(layout.done)) + len(names(layout.failed)) == 8 + 2 * 7)
        assert daemon.end() == 0
        daemon.wait_for("Stopped")
    assert names(layout.images) == [
        "abort-once.png",
        *(f"after {name}.png" for name in troubles[:-1]),
    ]
    assert "SIGABRT" in reason(layout, "abort") or "2**32" in reason(layout, "abort")
    assert "failed assertion" in reason(layout, "abort")
    assert "command buffer" in reason(layout, "corrupt")
    assert "exited with status 0" in reason(layout, "exit")
    assert "All black" in reason(layout, "fail")
    assert "hung" in reason(layout, "hang")
    assert "Too large" in reason(layout, "large")
    assert "incomplete" in reason(layout, "torn")
    tries = [event["name"] for event in daemon.seen if event["kind"] == "Rendering"]
    lost = ("abort", "corrupt", "exit", "hang", "large", "torn", "abort-once")
    blamed = {name: tries.count(f"{name}.txt") for name in lost}
    assert min(blamed.values()) >= 2
    assert tries.count("fail.txt") >= 1
    ends = [event["name"] for event in daemon.seen if event["kind"] in ("Published", "Rejected")]
    assert sorted(ends) == sorted(
        [f"{name}.txt" for name in troubles] + [f"after {name}.txt" for name in troubles[:-1]]
    )


def test_a_file_of_several_pictures_is_one_prompt(layout: Layout) -> None:
    """Each line and count is a picture with its own seed; one failure leaves the others alone."""
    lines = ["--prompt cat --seed 7", "--prompt fail --seed 1", "--prompt dog --seed 9"]
    drop(layout, "many.txt", "\n".join(lines))
    drop(layout, "twice.txt", "a bird\nSteps: 2, Seed: 5, Count: 2")
    with running(layout) as daemon:
        daemon.wait_for("Published", name="many.txt", number=1)
        daemon.wait_for("Published", name="many.txt", number=3)
        daemon.wait_for("Rejected", name="many.txt")
        daemon.wait_for("Published", name="twice.txt", number=2)
        assert daemon.end() == 0
    assert names(layout.images) == ["many-3.png", "many.png", "twice-2.png", "twice.png"]
    assert names(layout.failed) == ["many.error.txt", "many.txt"]
    assert "All black" in reason(layout, "many")
    assert "many-3.png" in reason(layout, "many")
    for image, seed in (("many.png", 7), ("many-3.png", 9), ("twice.png", 5), ("twice-2.png", 6)):
        assert f"seed\0{seed}".encode() in (layout.images / image).read_bytes()


def test_a_model_that_the_profile_does_not_allow_is_not_touched(layout: Layout) -> None:
    """A prompt file may name the profile's models; any other name fails."""
    drop(layout, "other.txt", "a cat\nSteps: 4, Model: other-model")
    drop(layout, "own.txt", "a cat\nSteps: 4, Model: stand-in")
    with running(layout) as daemon:
        daemon.wait_for("Rejected", name="other.txt")
        daemon.wait_for("Published", name="own.txt")
        assert daemon.end() == 0
    assert "does not list the model other-model" in reason(layout, "other")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_and_the_prompt_is_taken_up_again(
    layout: Layout, number: signal.Signals
) -> None:
    """In the middle of a picture, daemon and worker end at once, and no attempt counts."""
    drop(layout, "cat.txt", "slow 30")
    with running(layout) as daemon:
        daemon.wait_for("Rendering")
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
    prompts = [f"{number}.txt" for number in range(30)]
    for name in prompts:
        drop(layout, name, "slow 0.02")
    chance = random.Random(1)
    for _ in range(8):
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


def test_a_prompt_that_takes_the_daemon_down_is_given_up(layout: Layout) -> None:
    """Three attempts that ended with the daemon are enough; the next prompt gets its turn."""
    drop(layout, "deadly.txt", "slow 30")
    for _ in range(3):
        with running(layout) as daemon:
            daemon.wait_for("Rendering")
            daemon.kill()
    drop(layout, "next.txt", "a cat")
    with running(layout) as daemon:
        daemon.wait_for("Rejected", name="deadly.txt")
        daemon.wait_for("Published", name="next.txt")
        assert daemon.end() == 0
    assert "interrupted 3 times" in reason(layout, "deadly")


def test_a_worker_that_outlives_its_daemon_is_ended(layout: Layout) -> None:
    """A new daemon first ends an old worker that hangs and still holds the memory."""
    drop(layout, "cat.txt", "deaf")
    with running(layout) as daemon:
        daemon.wait_for("Rendering")
        wait_until(lambda: rendering(layout) == "cat.txt")
        worker = psutil.Process(daemon.worker())
        daemon.kill()
    assert worker.is_running()
    with running(layout) as daemon:
        daemon.wait_for("Started")
        assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
        assert daemon.end() == 0


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


@pytest.mark.parametrize(
    ("model", "kind", "title"),
    [
        ("refused", "model", "No such model"),
        ("no-gpu", "gpu", "There is no GPU"),
        ("aborting", "model", "The worker was lost while it loaded the model"),
        ("silent", "model", "The worker hung while it loaded the model"),
    ],
)
def test_a_model_that_cannot_be_loaded_pauses_the_queue(
    layout: Layout, model: str, kind: str, title: str
) -> None:
    """The daemon reports why once, tries again, and counts no attempt."""
    drop(layout, "cat.txt", "a cat")
    with running(
        layout, model=model, intervals=replace(INTERVALS, worker=Timeouts(load=0.7))
    ) as daemon:
        reason = daemon.wait_for("Paused")["pause"]
        assert (reason["kind"], reason["title"]) == (kind, title)
        for _ in range(2):
            daemon.wait_for("Loading")
        assert read_status(layout.root).paused
        assert daemon.end() == 0
    assert [event["kind"] for event in daemon.seen].count("Paused") == 1
    with running(layout) as daemon:
        assert daemon.wait_for("Rendering", name="cat.txt")["attempt"] == 1
        daemon.wait_for("Published")
        assert daemon.end() == 0


@pytest.mark.parametrize("word", ["full", "no-gpu"])
def test_an_attempt_that_the_disk_or_the_gpu_ended_does_not_count(
    layout: Layout, word: str
) -> None:
    """A full disk, or a GPU that is gone, pauses the queue; the attempt is given back.

    As long as no picture is done, the pauses become longer.
    """
    drop(layout, "cat.txt", f"{word} please")
    pauses = []
    with running(layout, intervals=replace(INTERVALS, retry=0.1)) as daemon:
        for _ in range(4):
            daemon.wait_for("Paused")
            paused = time.monotonic()
            daemon.wait_for("Loading")
            pauses.append(time.monotonic() - paused)
            assert daemon.wait_for("Rendering")["attempt"] == 1
        assert pauses[-1] > 3 * 0.1
        (folder,) = (path for path in layout.work.iterdir() if path.is_dir())
        (folder / "prompt.txt").write_text("a cat")
        daemon.kill()
    with running(layout) as daemon:
        daemon.wait_for("Published")
        assert daemon.end() == 0
    assert names(layout.failed) == []


def test_it_waits_for_power_and_continues(layout: Layout, tmp_path: Path) -> None:
    """On a low battery nothing begins; with the power adapter the queue continues."""
    low = Readings(on_battery=True, battery_percent=20)
    condition = tmp_path / "readings.json"
    replace_file(condition, msgspec.json.encode(low))
    drop(layout, "cat.txt", "a cat")
    with running(layout, readings=condition) as daemon:
        assert daemon.wait_for("Paused")["pause"]["kind"] == "battery"
        assert read_status(layout.root).worker is None
        replace_file(condition, msgspec.json.encode(Readings(on_battery=False)))
        daemon.wait_for("Resumed")
        daemon.wait_for("Published", name="cat.txt")
        assert daemon.end() == 0


def test_when_memory_runs_out_a_picture_is_stopped_and_tried_again(
    layout: Layout, tmp_path: Path
) -> None:
    """Critical pressure ends the worker between two steps; that it was the picture shows later."""
    condition = tmp_path / "readings.json"
    replace_file(condition, msgspec.json.encode(Readings()))
    drop(layout, "cat.txt", "slow 0.3")
    with running(layout, readings=condition) as daemon:
        daemon.wait_for("Stepped", step=1)
        worker = psutil.Process(daemon.worker())
        replace_file(condition, msgspec.json.encode(Readings(pressure=Pressure.CRITICAL)))
        assert daemon.wait_for("Paused")["pause"]["kind"] == "memory"
        assert not worker.is_running()
        replace_file(condition, msgspec.json.encode(Readings(pressure=Pressure.NORMAL)))
        daemon.wait_for("Resumed")
        daemon.wait_for("Published", name="cat.txt")
        assert [event["attempt"] for event in daemon.seen if event["kind"] == "Rendering"] == [1, 2]
        replace_file(condition, msgspec.json.encode(Readings(pressure=Pressure.WARNING)))
        assert "memory" in daemon.wait_for("Unloaded")["reason"]
        assert daemon.end() == 0


def test_memory_that_runs_out_is_blamed_on_what_is_computed(layout: Layout, tmp_path: Path) -> None:
    """The picture that is only being saved at the time is not blamed."""
    condition = tmp_path / "readings.json"
    replace_file(condition, msgspec.json.encode(Readings()))
    drop(layout, "cat.txt", "slow-save 5")
    drop(layout, "dog.txt", "slow 0.5")
    with running(layout, readings=condition) as daemon:
        daemon.wait_for("Stepped", name="dog.txt")
        replace_file(condition, msgspec.json.encode(Readings(pressure=Pressure.CRITICAL)))
        daemon.wait_for("Paused")
        daemon.kill()
    jobs = [json.loads(path.read_bytes()) for path in layout.work.glob("*/job.json")]
    assert {job["name"]: list(job["losses"]) for job in jobs} == {"cat.txt": [], "dog.txt": ["1"]}


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
    with running(layout) as daemon:
        daemon.wait_for("Started")
        assert daemon.end(signal.SIGUSR1) == 0


@pytest.mark.parametrize(("model", "event"), [("refused", "Paused"), ("silent", "Loading")])
def test_told_to_finish_with_nothing_in_hand_it_ends_at_once(
    layout: Layout, model: str, event: str
) -> None:
    """This holds during a long pause and while a model loads."""
    drop(layout, "cat.txt", "a cat")
    with running(layout, model=model, intervals=replace(INTERVALS, retry=60.0)) as daemon:
        daemon.wait_for(event)
        assert daemon.end(signal.SIGUSR1) == 0


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


def test_a_model_that_cannot_be_loaded_costs_only_the_prompts_that_name_it(layout: Layout) -> None:
    """After the same crash twice its prompt fails, and the others are rendered."""
    drop(layout, "cat.txt", "a cat\nSteps: 4, Model: aborting")
    with running(layout) as daemon:
        daemon.wait_for("Loading", model="aborting")
        drop(layout, "dog.txt", "a dog")
        daemon.wait_for("Published", name="dog.txt")
        assert daemon.end() == 0
    assert names(layout.failed) == ["cat.error.txt", "cat.txt"]
    assert "2 times" in (layout.failed / "cat.error.txt").read_text()


def test_prompts_that_all_fail_alike_are_tried_more_and_more_slowly(layout: Layout) -> None:
    """A GPU that fails at everything does not empty the inbox; one success ends the pauses."""
    for number in range(4):
        drop(layout, f"{number}.txt", "abort it")
    with running(layout) as daemon:
        for _ in range(3):
            daemon.wait_for("Rejected")
        assert "3 pictures in a row" in daemon.wait_for("Paused")["pause"]["title"]
        daemon.wait_for("Rejected")
        assert "4 pictures in a row" in daemon.wait_for("Paused")["pause"]["title"]
        drop(layout, "cat.txt", "a cat")
        daemon.wait_for("Published")
        assert daemon.end() == 0


def test_a_paused_queue_gives_the_workers_memory_back(layout: Layout, tmp_path: Path) -> None:
    """While a prompt waits for power and memory is short, the worker is ended."""
    condition = tmp_path / "readings.json"
    replace_file(condition, msgspec.json.encode(Readings()))
    drop(layout, "cat.txt", "a cat")
    with running(layout, readings=condition) as daemon:
        daemon.wait_for("Published")
        low = Readings(on_battery=True, battery_percent=20, pressure=Pressure.WARNING)
        replace_file(condition, msgspec.json.encode(low))
        drop(layout, "dog.txt", "a dog")
        assert "memory" in daemon.wait_for("Unloaded")["reason"]
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
