"""Processes that are started exactly as the property list says, with nothing else around them."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from mpsdoctor import __version__
from mpsdoctor.hotfolder.status.status import read_status
from mpsdoctor.service import context, heartbeat, plist
from mpsdoctor.service.actions import Operator
from mpsdoctor.service.agent import PROBE
from mpsdoctor.service.state import Goal, State
from mpsdoctor.shapes.captions import Item, Scene
from mpsdoctor.shapes.training.judge import judge
from tests.support.mac import Mac

pytestmark = pytest.mark.heavy

PROFILE = 'device = "cpu"\ndtype = "float32"\nnum_inference_steps = 20\n'


@pytest.fixture
def living(mac: Mac) -> Iterator[Mac]:
    """A Mac whose agents are real processes; none of them outlives the test."""
    mac.change(spawn=True)
    mac.agent.logs.mkdir(parents=True)
    yield mac
    for label, job in mac.world["jobs"].items():
        mac.run(("/bin/launchctl", "bootout", f"gui/501/{label}"), 10.0)
        if job["pid"] and psutil.pid_exists(job["pid"]):
            psutil.Process(job["pid"]).wait(30)


def listed(mac: Mac, root: Path, version: str = __version__) -> bytes:
    """The list for a daemon of this Python on `root`."""
    profile = mac.home / "profile.toml"
    profile.write_text(PROFILE)
    options = ("--dir", str(root), "--profile", str(profile))
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(mac.home / "hf"), "OMP_NUM_THREADS": "1"}
    return plist.render(mac.agent, sys.executable, options, environment, version, b"")


def wait_for(what: Callable[[], object], seconds: float = 240.0) -> None:
    for _ in range(int(seconds * 10)):
        if what():
            return
        time.sleep(0.1)
    raise AssertionError("it does not come")


def test_the_daemon_renders_as_launchd_runs_it_and_comes_back_when_it_is_killed(
    living: Mac,
) -> None:
    """Its arguments, only its environment, in /: a picture each, before and after a SIGKILL.

    After an upgrade, the old one finishes the picture that it is rendering.
    """
    root = living.home / "mpsdoctor"
    told: list[str] = []
    operator = Operator(living.launchctl, lambda _: heartbeat.read(root, time.time()), told.append)

    installed = operator.reach(Goal.INSTALL, listed(living, root))

    assert State.RUNNING is installed.state, living.agent.stderr_log.read_text()
    assert installed.job
    daemon = psutil.Process(installed.job.pid)
    assert [sys.executable, "-m", "mpsdoctor", "watch"] == daemon.cmdline()[:4]
    assert ("/", "1") == (daemon.cwd(), daemon.environ()["HF_HUB_OFFLINE"])
    assert "VIRTUAL_ENV" not in daemon.environ()
    (root / "inbox/circle.txt").write_text("a red circle on a white background")
    wait_for((root / "images/circle.png").exists)
    with Image.open(root / "images/circle.png") as image:
        assert judge(image, Scene((Item("red", "circle"),), "white")).background

    workers = daemon.children(recursive=True)
    daemon.send_signal(signal.SIGKILL)
    wait_for(lambda: operator.look().is_healthy and operator.look().job != installed.job)
    (root / "inbox/heart.txt").write_text("a purple heart on a white background")
    wait_for((root / "images/heart.png").exists)
    again = operator.look()
    assert again.job
    assert (2, "Killed: 9") == (again.job.runs, again.job.last_signal)

    (root / "inbox/star.txt").write_text("a small blue star on a yellow background")
    wait_for(lambda: read_status(root).current)
    upgraded = operator.reach(Goal.INSTALL, listed(living, root, version="99"))
    assert upgraded.job
    assert again.job.pid != upgraded.job.pid
    assert (root / "images/star.png").exists()
    assert 1 == living.agent.log.read_text().count("star.txt: rendering")
    assert "" == living.agent.stderr_log.read_text()

    operator.reach(Goal.UNINSTALL)
    assert State.ABSENT is operator.look().state
    psutil.wait_procs(workers, timeout=30)
    assert not any(worker.is_running() for worker in workers)
    assert not psutil.pid_exists(upgraded.job.pid or 0)
    assert (root / "done/circle.txt").exists()


def test_a_daemon_that_cannot_start_is_given_up_with_its_own_error(living: Mac) -> None:
    """There is no profile where the list says: the daemon's own error is shown."""
    root = living.home / "mpsdoctor"
    content = listed(living, root)
    (living.home / "profile.toml").unlink()
    operator = Operator(living.launchctl, lambda _: heartbeat.read(root, time.time()), print)

    with pytest.raises(Exception, match="does not keep running") as given_up:
        operator.reach(Goal.INSTALL, content)

    assert "There is no profile" in str(given_up.value)
    assert "There is no profile" in living.agent.stderr_log.read_text()


def test_the_agents_own_view_is_found_out_and_nothing_of_the_probe_is_left(living: Mac) -> None:
    """The variables and the folder as a process of launchd's has them, and the real interpreter."""
    root = living.home / "mpsdoctor"
    before = set(Path(os.environ.get("TMPDIR", "/tmp")).glob("mpsdoctor-probe-*"))

    seen = context.ask(living.run, living.agent, listed(living, root), root, ask_gpu=False)

    assert seen is not None
    assert (os.path.realpath(sys.executable), {}) == (seen.program, seen.folder)
    assert str(living.home / "hf") == seen.variables["HF_HOME"]
    wait_for(lambda: PROBE not in living.world["jobs"])
    assert before == set(Path(os.environ.get("TMPDIR", "/tmp")).glob("mpsdoctor-probe-*"))
    assert not list(living.home.glob(".mpsdoctor-probe*"))
