"""The worker as a real child process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from mpsdoctor.profile.model import Profile
from mpsdoctor.prompts.record import job_of
from mpsdoctor.rendering.protocol import (
    Command,
    Configure,
    Failed,
    Message,
    Ready,
    Refused,
    Rendered,
    RenderJob,
    Step,
    message_from_line,
    to_line,
)


class Worker:
    """Speaks to one worker, which is offline as under the daemon."""

    def __init__(self, **environ: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mpsdoctor.rendering.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"HF_HUB_OFFLINE": "1"} | environ,
        )

    def send(self, message: Command | Message) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(to_line(message))
        self.process.stdin.flush()

    def receive(self) -> Message:
        assert self.process.stdout is not None
        return message_from_line(self.process.stdout.readline())


@pytest.fixture
def worker() -> Iterator[Worker]:
    started = Worker()
    with started.process:
        yield started
        started.process.kill()


def test_renders_job_after_job_and_ends_with_its_daemon(
    worker: Worker, model_folder: Path, profile: Profile, tmp_path: Path
) -> None:
    """Ready, then steps and a picture a job; a job that fails does not end it; EOF does."""
    worker.send(Configure(profile=profile.model_copy(update={"model": str(model_folder)})))
    assert Ready(model=str(model_folder), device="cpu") == worker.receive()

    missing = tmp_path / "no such folder" / "image.png"
    worker.send(RenderJob(job="1", prompt="a star", seed=1, output=str(missing)))
    assert [Step, Step, Failed] == [type(worker.receive()) for _ in range(3)]

    output = tmp_path / "image.png"
    worker.send(RenderJob(job="2", prompt="a star", seed=2, output=str(output)))
    assert Step(job="2", step=1, steps=2) == worker.receive()
    assert Step(job="2", step=2, steps=2) == worker.receive()
    assert isinstance(worker.receive(), Rendered)
    with Image.open(output) as image:
        assert job_of(image.info["mpsdoctor"]) == "2"

    assert worker.process.stdin is not None
    worker.process.stdin.close()
    assert worker.process.wait(10) == 0


def test_a_model_that_cannot_be_loaded_is_refused_once(worker: Worker) -> None:
    """The daemon hears why, in words for the user, and the worker ends."""
    worker.send(Configure(profile=Profile(device="cpu", model="nobody/no-such-model")))

    refused = worker.receive()

    assert isinstance(refused, Refused)
    assert "mpsdoctor pull nobody/no-such-model" in refused.hint
    assert worker.process.wait(10) == 0


def test_without_torch_the_daemon_hears_what_to_install(tmp_path: Path) -> None:
    """A worker that cannot import what it needs says so, and does not crash."""
    (tmp_path / "torch.py").write_text("raise ImportError('no torch for this Python')")
    worker = Worker(PYTHONPATH=str(tmp_path))
    with worker.process:
        worker.send(Configure(profile=Profile(device="cpu")))

        refused = worker.receive()

        assert isinstance(refused, Refused)
        assert "no torch for this Python" in refused.detail
        assert "mpsdoctor[render]" in refused.hint
        assert 0 == worker.process.wait(10)
