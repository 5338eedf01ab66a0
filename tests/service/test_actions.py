"""Installing, changing, starting, stopping and removing, against a stand-in launchctl."""

import errno
import os
import plistlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.agent import Job
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.service.actions import Operator, not_up
from mpsdoctor.service.agent import WATCH, Agent
from mpsdoctor.service.heartbeat import Heartbeat
from mpsdoctor.service.launchctl_errors import failure
from mpsdoctor.service.logs import LARGE_BYTES
from mpsdoctor.service.state import Goal, Seen, State
from tests.support.launchd import FAILED, TEXTS
from tests.support.mac import Mac


def absent(mac: Mac) -> None:
    """Nothing is there."""


def not_loaded(mac: Mac) -> None:
    """As after `stop`."""
    mac.put(mac.plist())


def outdated(mac: Mac) -> None:
    """Another list, and nothing loaded."""
    mac.put(mac.plist("0.9"))


def outdated_and_running(mac: Mac) -> None:
    """As after an upgrade."""
    mac.load(mac.plist("0.9"))


def running(mac: Mac) -> None:
    """All is well."""
    mac.load(mac.plist())


def without_pulse(mac: Mac) -> None:
    """A daemon that is still importing."""
    mac.load(mac.plist())
    mac.silent = 6


def ended(mac: Mac) -> None:
    """Loaded, and ended by itself."""
    mac.load(mac.plist())
    mac.launchctl.kill("SIGUSR1")


def crashed(mac: Mac) -> None:
    """Loaded, and died at its first start."""
    mac.change(crashes=1)
    mac.load(mac.plist())


def switched_off(mac: Mac) -> None:
    """By the user, in Login Items."""
    mac.put(mac.plist())
    mac.change(disabled=[WATCH])


def switched_off_on_an_older_macos(mac: Mac) -> None:
    """Where print-disabled says `true`."""
    mac.change(disabled=[WATCH], words="true")


def switched_off_while_running(mac: Mac) -> None:
    """It runs on, until the next login."""
    mac.load(mac.plist())
    mac.change(disabled=[WATCH])


def stopping(mac: Mac) -> None:
    """Somebody else unloads it at this moment."""
    mac.load(mac.plist("0.9"))
    mac.change(drains=4)
    mac.launchctl.bootout()


def slow_to_stop(mac: Mac) -> None:
    """Its process takes its time."""
    mac.load(mac.plist("0.9"))
    mac.change(drains=4)


def without_list(mac: Mac) -> None:
    """Somebody removed the file by hand."""
    mac.load(mac.plist("0.9"))
    mac.agent.plist.unlink()


def damaged_list(mac: Mac) -> None:
    """Somebody edited it by hand."""
    mac.put(b"<plist>")


def on_demand_only(mac: Mac) -> None:
    """launchd starts nothing that nobody asks for, as after a canceled logout."""
    mac.change(on_demand=True)


def put_off(mac: Mac) -> None:
    """Loaded in such a domain, and never started."""
    mac.change(on_demand=True)
    mac.load(mac.plist())


STARTS = [
    absent, not_loaded, outdated, outdated_and_running, running, without_pulse, ended, crashed,
    switched_off, switched_off_on_an_older_macos, switched_off_while_running, stopping,
    slow_to_stop, without_list, damaged_list, on_demand_only, put_off,
]  # fmt: skip


@pytest.mark.parametrize("begin", STARTS)
def test_install_reaches_a_running_daemon_from_everywhere_and_then_does_nothing(
    mac: Mac, begin: Callable[[Mac], None]
) -> None:
    """What runs is the wanted list, switched on; the second time no verb is used."""
    begin(mac)

    seen = mac.operator().reach(Goal.INSTALL, mac.plist())

    assert State.RUNNING is seen.state
    assert plistlib.loads(mac.plist()) == mac.loaded_list()
    assert (mac.plist(), 0o644) == (
        mac.agent.plist.read_bytes(),
        mac.agent.plist.stat().st_mode & 0o777,
    )
    assert WATCH not in mac.world["disabled"]
    assert mac.agent.logs.is_dir()
    mac.calls()
    assert seen == mac.operator().reach(Goal.INSTALL, mac.plist())
    assert [] == mac.calls()


@pytest.mark.parametrize("begin", STARTS)
def test_stop_and_uninstall_leave_nothing_from_everywhere(
    mac: Mac, begin: Callable[[Mac], None]
) -> None:
    """After `stop` nothing is loaded, after `uninstall` no list is left; both may be repeated."""
    begin(mac)
    had_list = mac.agent.plist.exists()

    stopped = mac.operator().reach(Goal.STOP)
    assert None is stopped.job
    assert had_list is mac.agent.plist.exists()
    mac.operator().reach(Goal.UNINSTALL)
    mac.calls()
    removed = mac.operator().reach(Goal.UNINSTALL)

    assert State.ABSENT is removed.state
    assert [] == mac.calls()
    assert {} == mac.world["jobs"]


@pytest.mark.parametrize("begin", [start for start in STARTS if start is not damaged_list])
def test_start_and_restart_keep_the_installed_list(mac: Mac, begin: Callable[[Mac], None]) -> None:
    """The daemon runs with what is installed; with nothing installed, that is said."""
    begin(mac)
    if not mac.agent.plist.exists():
        for act in (partial(mac.operator().reach, Goal.START), mac.operator().restart):
            with pytest.raises(MpsDoctorError) as refused:
                act()
            assert str(refused.value) == (
                "The agent is not installed\nInstall it: mpsdoctor service install"
            )
        assert not mac.agent.plist.exists()
        return
    installed = mac.agent.plist.read_bytes()

    started = mac.operator().reach(Goal.START)
    mac.calls()
    mac.operator().reach(Goal.START)
    assert [] == mac.calls()
    restarted = mac.operator().restart()

    assert State.RUNNING is started.state is restarted.state
    assert plistlib.loads(installed) == mac.loaded_list()
    assert {"kill", "bootout", "bootstrap"} <= set(mac.calls())


def test_a_daemon_that_is_replaced_finishes_its_picture_first(mac: Mac) -> None:
    """It is asked to end by itself, and unloaded only then."""
    outdated_and_running(mac)
    mac.calls()

    mac.operator().reach(Goal.INSTALL, mac.plist())

    assert ["kill", "bootout", "enable", "bootstrap"] == mac.calls()


@pytest.mark.parametrize(
    "act",
    [
        lambda operator, wanted: operator.reach(Goal.INSTALL, wanted),
        lambda operator, wanted: operator.restart(),
    ],
)
def test_who_does_not_wait_for_the_picture_is_told_what_becomes_of_the_daemon(
    mac: Mac, act: Callable[[Operator, bytes], Seen]
) -> None:
    """It has been asked to end, and will; the command that is named brings one back at any time."""
    outdated_and_running(mac)
    mac.change(fail=[["kill", 0, 1]])  # it continues to render
    operator = mac.operator()
    operator.sleep = Mock(side_effect=KeyboardInterrupt)

    with pytest.raises(KeyboardInterrupt):
        act(operator, mac.plist())

    assert ["enable", "bootstrap", "kill"] == mac.calls()
    assert [
        "The daemon will still stop after its picture.",
        "To start a new one then: mpsdoctor service restart",
    ] == mac.told
    assert State.RUNNING is mac.operator().restart().state  # while it renders
    mac.launchctl.kill("SIGUSR1")
    assert State.RUNNING is mac.operator().restart().state  # when it has ended


def test_a_picture_that_takes_too_long_is_not_waited_for(mac: Mac) -> None:
    """After `drain_s` the daemon is stopped, and says so; with 0 s it is not even asked."""
    outdated_and_running(mac)
    mac.change(fail=[["kill", 0, 99]])  # it continues to render
    mac.operator(drain_s=40.0).reach(Goal.INSTALL, mac.plist())
    assert mac.time == 40.0 + 2.0  # and a look whether the new one keeps running
    assert mac.told == [
        *["Waiting for the current picture (--now does not wait) …"] * 2,
        "The picture takes too long. Its prompt will be rendered again.",
    ]

    mac.calls()
    mac.operator(drain_s=0.0).reach(Goal.INSTALL, mac.plist("1.1"))
    assert "kill" not in mac.calls()


def test_a_daemon_that_somebody_else_unloads_is_not_waited_for(mac: Mac) -> None:
    """While it finishes its picture, for example by logging out."""
    outdated_and_running(mac)
    mac.change(fail=[["kill", 0, 99]])  # it continues to render
    operator = mac.operator()

    def unload(seconds: float) -> None:
        mac.sleep(seconds)
        if mac.time == 0.5:
            mac.launchctl.bootout()

    operator.sleep = unload

    assert State.RUNNING is operator.reach(Goal.INSTALL, mac.plist()).state
    assert (2.5, []) == (mac.time, mac.told)


@pytest.mark.parametrize("code", [5, 36, 37, 119, 124])
@pytest.mark.parametrize("times", [1, 4])
def test_a_load_that_may_work_later_is_tried_again(mac: Mac, code: int, times: int) -> None:
    """launchd answers so for a moment: still ending, a race, a switch that is just being turned."""
    mac.change(fail=[["bootstrap", code, times]])

    assert State.RUNNING is mac.operator().reach(Goal.INSTALL, mac.plist()).state
    assert times + 1 == mac.calls().count("bootstrap")


@pytest.mark.parametrize(
    ("verb", "code", "tries", "seconds"),
    [
        ("bootstrap", 5, 5, 4.0),
        ("bootstrap", 36, 5, 4.0),
        ("bootstrap", 37, 5, 4.0),
        ("bootstrap", 119, 5, 4.0),
        ("bootstrap", 124, 5, 4.0),
        ("bootstrap", 107, 1, 0.0),
        ("bootstrap", 112, 1, 0.0),
        ("bootstrap", 122, 1, 0.0),
        ("bootstrap", 155, 1, 0.0),
        ("bootstrap", 99, 1, 0.0),
        ("bootout", 1, 1, 0.0),
        ("bootout", 5, 3, 2.0),
        ("bootout", 36, 3, 2.0),
        ("enable", 150, 2, 0.5),
        ("print", 150, 0, 0.0),
    ],
)
def test_what_launchd_refuses_is_said_with_the_next_step_and_can_be_tried_again(
    mac: Mac, verb: str, code: int, tries: int, seconds: float
) -> None:
    """Retries are bounded, the code is named, and once it works the same command repairs all."""
    if verb == "bootout":
        outdated_and_running(mac)
    if verb == "enable":
        switched_off_while_running(mac)
    mac.calls()
    mac.change(fail=[[verb, code, 99]])

    with pytest.raises(MpsDoctorError) as refused:
        mac.operator().reach(Goal.INSTALL, mac.plist())

    printed = f"{FAILED[verb]}: {code}: {TEXTS.get(code, 'Unknown error')}"
    assert str(refused.value) == str(failure(verb, CommandResult(code, "", printed)))
    assert (tries, seconds) == (mac.calls().count(verb), mac.time)
    mac.change(fail=[])
    assert State.RUNNING is mac.operator().reach(Goal.INSTALL, mac.plist()).state


@pytest.mark.parametrize("code", [3, 5, 36, 113])
def test_an_unload_that_says_it_is_done_or_under_way_is_none_that_failed(
    mac: Mac, code: int
) -> None:
    """launchd is asked what came of it, and decides."""
    outdated_and_running(mac)
    mac.change(fail=[["bootout", code, 1]])

    assert State.RUNNING is mac.operator().reach(Goal.INSTALL, mac.plist()).state


HINT = "Fix the cause, then: mpsdoctor service restart. The full log: mpsdoctor service logs"


def test_a_daemon_that_dies_again_and_again_is_given_up_with_its_last_output(mac: Mac) -> None:
    """The error names the exit code and shows what was printed last, not what was logged before."""
    mac.agent.logs.mkdir(parents=True)
    mac.agent.log.write_text("Stopped.\n")
    os.utime(mac.agent.log, (1, 1))
    mac.agent.stderr_log.write_text("0\n1\n2\n3\n4\nError: There is no profile yet\n")
    mac.change(crashes=99)

    with pytest.raises(MpsDoctorError) as given_up:
        mac.operator().reach(Goal.INSTALL, mac.plist())

    assert str(given_up.value) == (
        "The agent does not keep running\n"
        "launchd says: loaded, but not running.\n"
        "Its last exit: exit code 1 (an error; its log says which).\n"
        "Its last output:\n"
        "  1\n  2\n  3\n  4\n  Error: There is no profile yet\n"
        f"{HINT}"
    )
    assert 2 == mac.calls().count("kickstart")


def test_a_start_that_launchd_delays_and_a_stop_that_takes_too_long_are_explained(
    mac: Mac,
) -> None:
    """Without a log there is nothing to quote."""
    delayed = Seen(b"", False, Job(state="not running", pended="inefficient"), Heartbeat())
    stopping = Seen(b"", False, Job(state="SIGTERMed", pid=7), Heartbeat())

    assert str(not_up(mac.launchctl, delayed)) == (
        "The agent does not keep running\n"
        "launchd says: loaded, but not running.\n"
        "launchd delays its start (inefficient), as in Low Power Mode.\n"
        f"{HINT}"
    )
    assert str(not_up(mac.launchctl, stopping)) == (
        f"The agent does not stop\nlaunchd says: stopping.\n{HINT}"
    )


def test_a_daemon_that_dies_a_moment_after_its_start_is_not_called_running(mac: Mac) -> None:
    """The same process has to be there two seconds later."""
    operator = mac.operator()

    def crash(seconds: float) -> None:
        mac.sleep(seconds)
        mac.launchctl.kill("SIGUSR1")

    operator.sleep = crash
    with pytest.raises(MpsDoctorError, match="The agent does not keep running"):
        operator.reach(Goal.INSTALL, mac.plist())
    assert mac.time == 2.0


@pytest.mark.parametrize("goal", [Goal.INSTALL, Goal.START])
def test_a_daemon_that_has_died_is_loaded_again_at_once(mac: Mac, goal: Goal) -> None:
    """launchd holds its next start back, and kickstart does not hasten it."""
    crashed(mac)
    mac.calls()

    assert State.RUNNING is mac.operator().reach(goal, mac.plist()).state
    assert ["bootout", "enable", "bootstrap"] == mac.calls()


def test_a_daemon_that_stays_silent_is_not_called_running(mac: Mac) -> None:
    """A process is not enough: the hot folder must have its heartbeat."""
    mac.silent = 10_000

    with pytest.raises(MpsDoctorError) as given_up:
        mac.operator().reach(Goal.INSTALL, mac.plist())

    assert str(given_up.value) == (
        f"The daemon runs, but does not respond\nlaunchd says: running, but not responding.\n{HINT}"
    )
    assert mac.time == 89.0


def test_what_cannot_be_written_is_an_error_and_nothing_is_loaded(mac: Mac) -> None:
    """LaunchAgents is a file, here."""
    agents = mac.agent.plist.parent
    agents.parent.mkdir(parents=True)
    agents.write_text("")

    with pytest.raises(MpsDoctorError) as refused:
        mac.operator().reach(Goal.INSTALL, mac.plist())

    hint = "Free some disk space, or make yourself the folder's owner, then try again."
    assert str(refused.value) == (
        f"{mac.agent.plist} cannot be read\n"
        f"[Errno 20] Not a directory: '{mac.agent.plist}'\n"
        f"See who may read it, and change that: ls -le {mac.agent.plist}"
    )
    assert {} == mac.world["jobs"]

    agents.unlink()
    with pytest.raises(MpsDoctorError) as refused:
        in_full(mac).reach(Goal.INSTALL, mac.plist())
    assert str(refused.value) == (
        f"{agents} cannot be changed\n[Errno 28] No space left on device: '{agents}'\n{hint}"
    )
    assert {} == mac.world["jobs"]


def in_full(mac: Mac) -> Operator:
    """Hands on a Mac whose disk takes nothing more."""
    operator = mac.operator()
    agents = mac.agent.plist.parent

    class Full(type(agents)):  # type: ignore[misc]
        def mkdir(self, *_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

        @property
        def parent(self) -> "Full":
            return Full(super().parent)

    class FullAgent(Agent):
        @property
        def plist(self) -> Path:
            return Full(super().plist)

    operator.launchctl.agent = FullAgent(mac.home, 501)
    return operator


def test_a_large_log_is_set_aside(mac: Mac) -> None:
    """launchd's own, while nobody writes to it; the old one is kept."""
    mac.agent.logs.mkdir(parents=True)
    with mac.agent.stderr_log.open("wb") as file:
        file.truncate(LARGE_BYTES + 1)

    mac.operator().reach(Goal.INSTALL, mac.plist())

    assert not mac.agent.stderr_log.exists()
    assert LARGE_BYTES + 1 == mac.agent.earlier_stderr_log.stat().st_size
