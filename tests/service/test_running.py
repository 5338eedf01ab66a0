"""Processes that are started exactly as the property list says, with nothing else around them."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest
from PIL import Image

from mpsdoctor import __version__
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.hotfolder.status.status import read_status
from mpsdoctor.service import context, examine, heartbeat, plist
from mpsdoctor.service.actions import Operator
from mpsdoctor.service.agent import PROBE, WATCH
from mpsdoctor.service.probe import try_folder
from mpsdoctor.service.state import Goal, State
from mpsdoctor.shapes.captions import Item, Scene
from mpsdoctor.shapes.training.judge import judge
from tests.support.mac import Mac

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


def test_a_daemon_that_cannot_start_is_given_up_with_its_own_words(living: Mac) -> None:
    """There is no profile where the list says: the daemon's own error is shown."""
    root = living.home / "mpsdoctor"
    content = listed(living, root)
    (living.home / "profile.toml").unlink()
    operator = Operator(living.launchctl, lambda _: heartbeat.read(root, time.time()), print)

    with pytest.raises(Exception, match="does not stay up") as given_up:
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


def test_a_context_that_does_not_answer_is_not_known(mac: Mac) -> None:
    """The probe never runs; after the time limit it is removed."""
    naps: list[float] = []

    seen = context.ask(mac.run, mac.agent, mac.plist(), mac.home, seconds=2.0, sleep=naps.append)

    assert seen is None
    assert 10 == len(naps)
    assert {} == mac.world["jobs"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"</plist>", b""),
        (b"<string>-m</string>", b"<string>a & b</string>"),
        (b"ProgramArguments", b"Program"),
    ],
)
def test_a_damaged_list_is_told_and_not_asked(mac: Mac, old: bytes, new: bytes) -> None:
    """Cut off, no XML, or with nothing to run: what an install would mend is named all the same."""
    mac.load(mac.plist())
    mac.agent.plist.write_bytes(mac.plist().replace(old, new))

    facts = examine.examine(
        mac.run,
        mac.agent,
        wanted=lambda arguments: mac.plist(),
        hot_folder=lambda content: mac.home,
        probe=True,
    )

    assert "ProgramArguments" in (facts.changes or ())
    assert (True, None) == (facts.loaded, facts.context)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_a_folder_that_can_be_listed_but_not_written_is_told(mac: Mac) -> None:
    """Each operation is tried by itself."""
    from mpsdoctor.facts.command import run

    denied = try_folder(Path("/proc"), run)

    assert denied is not None
    assert "write" in denied
    assert "list" not in denied
    assert {} == try_folder(mac.home, run)


def test_a_folder_that_never_answers_is_told() -> None:
    """macOS waits there for an answer to its question: the child is killed at its deadline."""
    hung = CommandResult(None, '["list", null]\n', timed_out=True)

    assert {"write": "no answer"} == try_folder(Path("/"), lambda argv, seconds: hung)
    crashed = CommandResult(1, "")
    assert try_folder(Path("/"), lambda argv, seconds: crashed) is None


def test_the_facts_say_what_an_install_would_change(mac: Mac) -> None:
    """An agent of another Python, with other variables; nothing where there is none."""
    ask = partial(
        examine.examine,
        mac.run,
        mac.agent,
        wanted=lambda arguments: mac.plist(PYTORCH_ENABLE_MPS_FALLBACK="1", HF_HOME="/models"),
        hot_folder=lambda content: mac.home / "mpsdoctor",
        probe=False,
    )
    assert not ask().installed
    mac.load(mac.plist(HF_HOME="/elsewhere"))
    mac.change(disabled=[WATCH])

    facts = ask()

    assert facts.changes == (
        "EnvironmentVariables.HF_HOME",
        "EnvironmentVariables.PYTORCH_ENABLE_MPS_FALLBACK",
    )
    assert (True, True, False) == (facts.disabled, facts.loaded, facts.interpreter_exists)
    assert facts.job
    assert "interactive" == facts.job.spawn_type
