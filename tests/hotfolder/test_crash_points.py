"""The daemon, its worker, or both are killed at any point: nothing is lost or done twice."""

import contextlib
from pathlib import Path

import psutil
import pytest

from mpsdoctor.hotfolder.spool.images import record_in_picture
from mpsdoctor.hotfolder.spool.layout import Layout
from tests.support.crash_scenarios import SCENARIOS
from tests.support.hot_folder import running, wait_until
from tests.support.jobs import drop, names
from tests.support.printed import printed_by

pytestmark = pytest.mark.heavy


def kills(folder: Path, *arguments: str) -> tuple[int, int]:
    """How often the daemon was killed, and how often its recovery from that."""
    *_, total = printed_by("crash_points", str(folder), *arguments).splitlines()
    _, once, of_recovery, _ = total.rsplit(maxsplit=3)
    return int(once), int(of_recovery)


def test_killed_before_and_after_every_step_it_continues(tmp_path: Path) -> None:
    """SIGKILL at each step of a prompt's way."""
    once, _ = kills(tmp_path, "a prompt")

    assert once >= 60


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("scenario", [scenario.name for scenario in SCENARIOS])
def test_killed_at_every_step_of_the_recovery_it_continues(tmp_path: Path, scenario: str) -> None:
    """SIGKILL at each step of each scenario, and at each step of the recovery from that."""
    once, of_recovery = kills(tmp_path, scenario, "--twice")

    assert once >= 10
    assert of_recovery > 0


def half_a_picture(layout: Layout) -> bool:
    """Whether the worker is in the middle of writing one."""
    pictures = list(layout.work.glob("*/image-*.png"))
    return bool(pictures) and record_in_picture(pictures[0]) is None


@pytest.mark.parametrize("prompt", ["slow 0.2", "slow-save 0.4"])
def test_a_worker_that_is_killed_costs_an_attempt(layout: Layout, prompt: str) -> None:
    """The worker denoises or writes the picture; the next worker makes the same picture."""
    drop(layout, "cat.txt", prompt)
    with running(layout) as daemon:
        claimed = daemon.wait_for("Claimed")
        daemon.wait_for("Stepped")
        if "save" in prompt:
            wait_until(lambda: half_a_picture(layout))
        psutil.Process(daemon.worker()).kill()
        assert daemon.wait_for("Retrying")["attempt"] == 1
        assert daemon.wait_for("Published")["job"] == claimed["job"]
        assert daemon.end() == 0
    assert names(layout.images) == ["cat.png"]
    assert names(layout.done) == ["cat.txt"]


def test_an_idle_worker_that_is_killed_costs_nothing(layout: Layout) -> None:
    """The next prompt gets a new one, in its first attempt."""
    with running(layout) as daemon:
        drop(layout, "cat.txt", "a cat")
        daemon.wait_for("Published")
        psutil.Process(daemon.worker()).kill()
        drop(layout, "dog.txt", "a dog")
        daemon.wait_for("Rendering", attempt=1)
        daemon.wait_for("Published", name="dog.txt")
        assert daemon.end() == 0
    assert names(layout.images) == ["cat.png", "dog.png"]


def test_a_worker_that_outlives_its_daemon_publishes_nothing(layout: Layout) -> None:
    """It may finish its picture in .work/; the next daemon ends it first."""
    drop(layout, "cat.txt", "outlive 0.5")
    with running(layout) as daemon:
        daemon.wait_for("Rendering")
        wait_until(lambda: half_a_picture(layout))
        worker = psutil.Process(daemon.worker())
        daemon.kill()
    wait_until(lambda: not half_a_picture(layout))
    assert worker.is_running()
    assert names(layout.images) == names(layout.done) == []
    with running(layout) as daemon:
        daemon.wait_for("Started", resumed=1)
        assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
        daemon.wait_for("Published")
        assert daemon.end() == 0
    assert names(layout.images) == ["cat.png"]
    assert names(layout.done) == ["cat.txt"]


def test_of_daemons_that_start_at_once_one_renders(layout: Layout) -> None:
    """Each prompt comes out once, and the other daemons end with the reason."""
    prompts = [f"{number}.txt" for number in range(8)]
    for name in prompts:
        drop(layout, name, "a cat")
    with contextlib.ExitStack() as stack:
        daemons = [stack.enter_context(running(layout)) for _ in range(4)]
        wait_until(lambda: len(names(layout.done)) == len(prompts))
        wait_until(lambda: sum(daemon.process.poll() is None for daemon in daemons) == 1)
        for daemon in daemons:
            if daemon.process.poll() is None:
                assert daemon.end() == 0
            else:
                assert "already watches" in daemon.wait_for("Error")["title"]
                assert daemon.wait() == 1
    assert names(layout.images) == [f"{number}.png" for number in range(8)]
    assert names(layout.inbox) == names(layout.failed) == []
