"""`mpsdoctor demo`, for real, with the embedded model."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from mpsdoctor.cli.commands.demo import PROMPTS
from mpsdoctor.hotfolder.status.status import Status, read_status
from mpsdoctor.shapes.captions import Item, Scene
from mpsdoctor.shapes.training.judge import judge

pytestmark = pytest.mark.heavy

MPSDOCTOR = [sys.executable, "-m", "mpsdoctor"]
WANTED = {
    "red-circle.png": Scene((Item("red", "circle"),), "white"),
    "blue-star.png": Scene((Item("blue", "star", "small"),), "yellow"),
    "heart-and-square.png": Scene(
        (Item("green", "heart"), Item("purple", "square")), "black", "left"
    ),
}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A newcomer's: no settings yet."""
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    return {
        name: value for name, value in os.environ.items() if not name.startswith("MPSDOCTOR_")
    } | home


def wait_until(root: Path, holds: Callable[[Status], bool]) -> Status:
    for _ in range(1200):
        status = read_status(root)
        if holds(status):
            return status
        time.sleep(0.1)
    raise AssertionError(f"still {status}")


def test_three_pictures_show_what_the_prompts_say_though_the_daemon_is_killed(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    """After kill -9 in the middle and a new `mpsdoctor watch`, the demo ends as if nothing was."""
    root = tmp_path / "demo"
    demo = subprocess.Popen(
        [*MPSDOCTOR, "demo", "--dir", str(root)],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with demo:
        status = wait_until(
            root, lambda status: bool(status.current and status.current.step) and status.done > 0
        )
        assert status.pid is not None
        os.kill(status.pid, signal.SIGKILL)
        wait_until(root, lambda status: not status.running)

        watch = subprocess.Popen([*MPSDOCTOR, "watch", "--dir", str(root)], env=environ)
        with watch:
            output, told = demo.communicate(timeout=120)
            watch.terminate()
        assert 0 == watch.returncode

    assert 0 == demo.returncode, told
    assert sorted(str(root / "images" / name) for name in WANTED) == sorted(
        line.strip() for line in output.splitlines() if line.startswith(str(root))
    )
    for name, scene in WANTED.items():
        with Image.open(root / "images" / name) as image:
            verdict = judge(image, scene)
        assert (True, True, True) == (verdict.background, verdict.colours, verdict.shapes), name
    [log] = tmp_path.rglob("daemon.log")
    lines = log.read_text()
    assert all(f"{Path(name).stem}.txt: rendering" in lines for name in WANTED)
    assert not [prompt for prompt in PROMPTS.values() if prompt in lines], "prompts are private"
    status = read_status(root)
    assert (0, 0, 3, 0, 3) == (
        status.inbox, status.work, status.done, status.failed, status.images,
    )  # fmt: skip
