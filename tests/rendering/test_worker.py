"""The worker as a real child process."""

import json
import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import pytest

from mpsdoctor.hotfolder.spool.images import record_in_picture
from mpsdoctor.knowledge import messages
from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.record import JobRecord
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.protocol import (
    Command,
    Configure,
    Failed,
    Message,
    Ready,
    Refused,
    Rendered,
    RenderJob,
    Started,
    Step,
    message_from_line,
    sentinel,
    to_line,
)
from mpsdoctor.rendering.worker import Commands, serve

pytestmark = pytest.mark.heavy

COMMAND = (sys.executable, "-X", "faulthandler", "-m", "mpsdoctor.rendering.worker")
ENVIRON = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


class Worker:
    """Speaks to one worker, which is offline as under the daemon."""

    def __init__(self, complaints: Path, **environ: str) -> None:
        self.complaints = complaints
        with complaints.open("wb") as stderr:
            self.process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=ENVIRON | environ,
            )

    def send(self, *messages: Command) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(map(to_line, messages)))
        self.process.stdin.flush()

    def receive(self) -> Message:
        assert self.process.stdout is not None
        return message_from_line(self.process.stdout.readline())

    def answers(self, count: int) -> list[Rendered | Failed]:
        """The next ones, progress left out."""
        answers: list[Rendered | Failed] = []
        while len(answers) < count:
            message = self.receive()
            if isinstance(message, Rendered | Failed):
                answers.append(message)
        return answers


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory, model_folder: Path) -> Iterator[Worker]:
    """Has loaded a small model of two steps."""
    profile = Profile(device="cpu", dtype="float32", num_inference_steps=2, model=str(model_folder))
    started = Worker(tmp_path_factory.mktemp("worker") / "stderr")
    with started.process:
        started.send(Configure(profile=profile.model_dump()))
        assert Ready(model=str(model_folder), device="cpu") == started.receive()
        yield started
        started.process.kill()


def job(number: int, output: Path, **settings: Any) -> RenderJob:
    """A star."""
    request = Request(prompt="a star", seed=number, **settings)
    return RenderJob(job="1", number=number, request=request, output=str(output), profile="hash")


def test_renders_job_after_job(worker: Worker, tmp_path: Path) -> None:
    """Steps and an answer a job, in their order whether it fails before or after it is computed;
    a sentinel on stderr for each, behind what went wrong; nothing is written but pictures, which
    say what had no effect."""
    worker.send(job(1, tmp_path / "1.png"))
    assert Started(job="1", number=1) == worker.receive()
    assert Step(job="1", number=1, step=1, steps=2) == worker.receive()
    assert Step(job="1", number=1, step=2, steps=2) == worker.receive()
    rendered = worker.receive()
    assert isinstance(rendered, Rendered)
    assert 0 < rendered.seconds < 600
    output = str(tmp_path / "1.png")
    assert rendered == Rendered(job="1", number=1, output=output, seconds=rendered.seconds)
    assert JobRecord(job="1", picture=1, profile="hash") == record_in_picture(tmp_path / "1.png")

    worker.send(job(2, tmp_path / "none" / "2.png"), job(3, tmp_path / "3.png", sampler="?"))
    worker.send(
        job(4, tmp_path / "4.png", schedule_type="Karras", notes=("VAE: a.pt", "é" * 70_000))
    )
    unwritten, unforeseen, last = worker.answers(3)
    assert unwritten == Failed(
        job="1",
        number=2,
        title="The picture could not be written",
        detail=f"{tmp_path / 'none' / '2.png'}: No such file or directory.",
        hint="Check that the hot folder's disk is connected, has free space and is writable.",
        cause="disk",
    )
    assert isinstance(unforeseen, Failed)
    assert (unforeseen.job, unforeseen.number, unforeseen.cause) == ("1", 3, "job")
    assert "This picture could not be rendered" == unforeseen.title
    assert messages.hint("known_faults") == unforeseen.hint
    assert isinstance(last, Rendered)
    assert last.notes == ("Karras has no effect: DDIM has no such schedule type",)
    record = record_in_picture(tmp_path / "4.png")
    assert record is not None
    assert record.notes == ("VAE: a.pt", "é" * 999 + "…", *last.notes)
    assert "set_scheduler" in unforeseen.detail
    complaints = worker.complaints.read_text().splitlines()
    assert [line for line in complaints if line] == [
        sentinel("1", number) for number in (1, 2, 3, 4)
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"1.png", "4.png"}


def test_pictures_are_the_same_whether_or_not_others_wait(worker: Worker, tmp_path: Path) -> None:
    """While the next one is denoised, the last one is only written."""
    alone, together = tmp_path / "alone", tmp_path / "together"
    alone.mkdir()
    together.mkdir()

    for number in (1, 2, 3):
        worker.send(job(number, alone / f"{number}.png"))
        worker.answers(1)
    worker.send(*(job(number, together / f"{number}.png") for number in (1, 2, 3)))

    assert [1, 2, 3] == [answer.number for answer in worker.answers(3)]
    for number in (1, 2, 3):
        written = [folder / f"{number}.png" for folder in (alone, together)]
        assert written[0].read_bytes() == written[1].read_bytes()


def test_the_job_is_not_blamed_for_a_full_disk(worker: Worker, tmp_path: Path) -> None:
    """A write that finds no space is told as the disk's trouble; the next picture succeeds."""
    if not Path("/dev/full").exists():
        pytest.skip("needs a device that is always full")

    worker.send(job(1, Path("/dev/full")), job(2, tmp_path / "2.png"))
    full, fine = worker.answers(2)

    assert isinstance(full, Failed)
    assert (full.cause, "No space left" in full.detail) == ("disk", True)
    assert isinstance(fine, Rendered)


def test_an_interrupt_is_the_daemons(worker: Worker, tmp_path: Path) -> None:
    """^C reaches the whole process group, and must not cost a picture."""
    worker.send(job(1, tmp_path / "1.png"))
    assert isinstance(worker.receive(), Started)
    worker.process.send_signal(signal.SIGINT)
    assert isinstance(worker.answers(1)[0], Rendered)


def test_it_ends_when_it_is_told_to(tmp_path: Path) -> None:
    """By a daemon that closes its stdin, as one that died does, and by SIGTERM."""
    closed, terminated = Worker(tmp_path / "closed"), Worker(tmp_path / "terminated")
    with closed.process, terminated.process:
        assert closed.process.stdin is not None
        closed.process.stdin.close()
        terminated.process.terminate()
        assert closed.process.wait(30) == 0
        assert terminated.process.wait(30) == -signal.SIGTERM


def test_ends_with_its_parent_though_its_stdin_stays_open() -> None:
    """Another process may have inherited the daemon's end of the pipe."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, *COMMAND], stdout=subprocess.PIPE, env=ENVIRON, text=True
    )
    with parent:
        assert parent.stdout is not None
        pid, holder = json.loads(parent.stdout.readline())
        worker, holder = psutil.Process(pid), psutil.Process(holder)
        parent.kill()
    try:
        deadline = time.monotonic() + 30
        while worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    except psutil.NoSuchProcess:
        pass
    finally:
        holder.kill()


PARENT = """
import json, subprocess, sys, time
worker = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
holder = subprocess.Popen(["sleep", "60"], pass_fds=[worker.stdin.fileno()])
time.sleep(1)
print(json.dumps([worker.pid, holder.pid]), flush=True)
time.sleep(60)
"""


def refusal(profile: Profile) -> Refused:
    """What a daemon is told that asks for this profile; the worker has nothing more to say."""
    commands: Commands = queue.SimpleQueue()
    commands.put(Configure(profile=profile.model_dump()))
    said: list[Message] = []
    serve(commands, said.append)
    [refused] = said
    assert isinstance(refused, Refused)
    return refused


def test_a_model_that_cannot_be_loaded_is_refused_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon hears why, in words for the user."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    refused = refusal(Profile(device="cpu", model="nobody/no-such-model"))

    assert refused == Refused(
        title="The model nobody/no-such-model cannot be loaded",
        detail="It is not in Hugging Face's cache on this disk.",
        hint="If it is not on this machine yet, or incomplete, download it: mpsdoctor pull "
        "nobody/no-such-model",
        cause="model",
    )


@pytest.mark.skipif(sys.platform == "darwin", reason="mps is there")
def test_a_gpu_that_is_not_there_is_refused_as_such() -> None:
    """So that the queue waits, and no prompt is to blame."""
    assert refusal(Profile(device="mps")) == Refused(
        title="torch cannot use the mps device here",
        detail=f"torch {version('torch')} says that mps is not available.",
        hint="Run `mpsdoctor check`: it says why, and writes a profile that fits.",
        cause="gpu",
    )


def test_a_model_that_crashes_while_it_loads_is_not_to_blame_itself(tmp_path: Path) -> None:
    """An error that nobody foresaw: the cause is neither the model nor the GPU."""
    (tmp_path / "model_index.json").write_text('{"_class_name": ["no", "class"]}')

    refused = refusal(Profile(device="cpu", model=str(tmp_path)))

    assert ("other", f"The model {tmp_path} cannot be loaded") == (refused.cause, refused.title)
    assert "Error" in refused.detail


def test_without_torch_the_daemon_hears_what_to_install(tmp_path: Path) -> None:
    """A worker that cannot import what it needs says so, and does not crash."""
    (tmp_path / "torch.py").write_text("raise ImportError('no torch for this Python')")
    worker = Worker(tmp_path / "stderr", PYTHONPATH=str(tmp_path))
    with worker.process:
        worker.send(Configure(profile=Profile(device="cpu").model_dump()))

        refused = worker.receive()

        assert isinstance(refused, Refused)
        assert "no torch for this Python" in refused.detail
        assert "mpsdoctor check" in refused.hint
        assert 0 == worker.process.wait(10)
