"""The assertion against sleep, with a real child in place of caffeinate."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from mpsdoctor.hotfolder.machine.sleep import Awake, asleep, asleep_s, caffeinate

_SLEEPER = "import time; time.sleep(60)"
_STUBBORN = (
    "import signal, sys, time, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"
)


def children() -> set[psutil.Process]:
    return set(psutil.Process().children())


def test_it_is_held_once_and_released_once() -> None:
    """There is one child between hold and release, and none before and after."""
    before = children()
    awake = Awake((sys.executable, "-c", _SLEEPER))
    awake.release()
    for _ in range(2):
        awake.hold()
        awake.hold()
        (child,) = children() - before
        assert child.is_running()
        awake.release()
        awake.release()
        assert children() == before


def test_a_child_that_ended_by_itself_is_started_again() -> None:
    """`hold` starts another child if the first has ended."""
    before = children()
    awake = Awake((sys.executable, "-c", _SLEEPER))
    awake.hold()
    (child,) = children() - before
    child.kill()
    while child.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    awake.hold()
    (again,) = children() - before
    assert again.pid != child.pid
    awake.release()


def test_a_child_that_will_not_go_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`release` returns in time even if the child ignores SIGTERM."""
    monkeypatch.setattr("mpsdoctor.hotfolder.machine.sleep._SECONDS_TO_END", 0.1)
    before = children()
    ready = tmp_path / "ready"
    awake = Awake((sys.executable, "-c", _STUBBORN, str(ready)))
    awake.hold()
    while not ready.exists():
        time.sleep(0.01)
    awake.release()
    assert children() == before


_POLITE = (
    "import pathlib, signal, sys, time; folder = pathlib.Path(sys.argv[1])\n"
    "def end(*_): (folder / 'asked').touch(); sys.exit()\n"
    "signal.signal(signal.SIGTERM, end); print('out'); print('err', file=sys.stderr)\n"
    "sys.stdout.flush(); sys.stderr.flush(); (folder / 'ready').touch(); time.sleep(60)"
)


def test_a_child_is_asked_to_end_and_prints_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is killed only if it does not go."""
    awake = Awake((sys.executable, "-c", _POLITE, str(tmp_path)))
    awake.hold()
    while not (tmp_path / "ready").exists():
        time.sleep(0.01)
    awake.release()
    assert (tmp_path / "asked").exists()
    assert capfd.readouterr() == ("", "")


def test_without_caffeinate_nothing_happens(caplog: pytest.LogCaptureFixture) -> None:
    """Other systems have no command; a command that cannot start is logged once."""
    before = children()
    for command in (None, ("/nonexistent/caffeinate",)):
        awake = Awake(command)
        awake.hold()
        awake.hold()
        awake.release()
    assert children() == before
    assert caplog.messages == [
        "the Mac may fall asleep while it renders: [Errno 2] No such file or directory: "
        "'/nonexistent/caffeinate'"
    ]
    assert caffeinate("linux") is None
    assert ("/usr/bin/caffeinate", "-i", "-w", str(os.getpid())) == caffeinate("darwin")


def test_sleep_is_what_one_clock_lags_behind_the_other() -> None:
    """Two hours of a closed lid count as two hours; a moment between two readings counts as 0."""
    assert 7200.0 == asleep(lambda: 100.0, lambda: 7300.0)
    assert 0.0 == asleep(lambda: 100.0, lambda: 99.999)
    first = asleep_s()
    time.sleep(0.01)
    assert abs(asleep_s() - first) < 0.005


@pytest.mark.parametrize(("platform", "slept"), [("darwin", 7.0), ("linux", 3.0), ("sunos5", 0.0)])
def test_each_system_has_its_clocks(
    monkeypatch: pytest.MonkeyPatch, platform: str, slept: float
) -> None:
    """One stops during sleep and the other does not; without such a pair nothing is known."""
    clocks = {"CLOCK_UPTIME_RAW": 101, "CLOCK_MONOTONIC_RAW": 102, "CLOCK_BOOTTIME": 103}
    for name, number in clocks.items():
        monkeypatch.setattr(time, name, number, raising=False)
    monkeypatch.setattr(time, "clock_gettime", {101: 5.0, 102: 12.0, 103: 23.0}.__getitem__)
    monkeypatch.setattr(time, "monotonic", lambda: 20.0)
    monkeypatch.setattr(sys, "platform", platform)
    assert asleep_s() == slept
