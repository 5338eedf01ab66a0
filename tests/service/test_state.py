"""The agent's states, and the step that each of them asks for."""

import itertools

import pytest

from mpsdoctor.facts.agent import Job
from mpsdoctor.service.heartbeat import FRESH_S, Heartbeat
from mpsdoctor.service.state import BOUNDS, Bound, Goal, Seen, State, Step, next_step

RUNNING, OTHER = Job(state="running", pid=7), Heartbeat(8, 1.0)
SEEN = {
    "absent": Seen(None, False, None, Heartbeat()),
    "disabled": Seen(b"new", True, None, Heartbeat()),
    "of unknown switch": Seen(b"new", None, None, Heartbeat()),
    "installed": Seen(b"new", False, None, Heartbeat()),
    "old": Seen(b"old", False, None, Heartbeat()),
    "stopping": Seen(b"new", False, Job(state="SIGTERMed", pid=7), Heartbeat(7, 1.0)),
    "loaded": Seen(b"new", False, Job(state="not running"), Heartbeat()),
    "throttled": Seen(b"new", False, Job(state="spawn scheduled"), Heartbeat()),
    "of another": Seen(b"new", False, RUNNING, OTHER),
    "silent": Seen(b"new", False, RUNNING, Heartbeat(7, FRESH_S)),
    "well": Seen(b"new", False, RUNNING, Heartbeat(7, FRESH_S - 1)),
    "young": Seen(b"new", False, Job(pid=7), Heartbeat(7)),
    "disabled and well": Seen(b"new", True, RUNNING, Heartbeat(7, 1.0)),
    "old and well": Seen(b"old", False, RUNNING, Heartbeat(7, 1.0)),
    "well without a list": Seen(None, False, RUNNING, Heartbeat(7, 1.0)),
}
STATES = {
    "absent": State.ABSENT,
    "disabled": State.DISABLED,
    "of unknown switch": State.INSTALLED,
    "installed": State.INSTALLED,
    "old": State.INSTALLED,
    "stopping": State.STOPPING,
    "loaded": State.LOADED,
    "throttled": State.LOADED,
    "of another": State.UNHEALTHY,
    "silent": State.UNHEALTHY,
}
STEPS = {
    (Goal.INSTALL, "absent"): Step.WRITE,
    (Goal.INSTALL, "old"): Step.WRITE,
    (Goal.INSTALL, "old and well"): Step.UNLOAD,
    (Goal.INSTALL, "well without a list"): Step.UNLOAD,
    **{
        (goal, name): step
        for goal in (Goal.INSTALL, Goal.START)
        for name, step in {
            "disabled": Step.ENABLE,
            "of unknown switch": Step.LOAD,
            "installed": Step.LOAD,
            "loaded": Step.START,
            "throttled": Step.START,
            "of another": Step.WAIT,
            "silent": Step.WAIT,
            "disabled and well": Step.ENABLE,
        }.items()
    },
    **{
        (goal, name): Step.UNLOAD
        for goal in (Goal.STOP, Goal.UNINSTALL)
        for name, seen in SEEN.items()
        if seen.job
    },
    **{
        (Goal.UNINSTALL, name): Step.REMOVE
        for name in ("disabled", "of unknown switch", "installed", "old")
    },
    **{(goal, "stopping"): Step.WAIT for goal in Goal},
}


@pytest.mark.parametrize("name", SEEN)
def test_each_sight_is_one_state(name: str) -> None:
    """From launchd, the disk and the hot folder; a process alone is not enough."""
    seen = SEEN[name]

    assert STATES.get(name, State.RUNNING) is seen.state
    assert (name == "throttled") is seen.is_throttled
    assert (name == "stopping") is seen.is_stopping
    assert (seen.state is State.RUNNING) is seen.is_healthy
    assert (seen.state in (State.RUNNING, State.UNHEALTHY)) is seen.is_running


@pytest.mark.parametrize(("goal", "name"), list(itertools.product(Goal, SEEN)))
def test_each_state_has_one_next_step(goal: Goal, name: str) -> None:
    """None once the goal is reached; a start takes the installed list."""
    seen = SEEN[name]
    if goal is Goal.START and seen.plist != b"new":
        wanted = seen.plist
        expected = {"old": Step.LOAD, "absent": Step.LOAD}.get(name)
    else:
        wanted, expected = b"new", STEPS.get((goal, name))

    assert expected is next_step(goal, seen, wanted)


def test_states_and_bounds_are_these() -> None:
    """The states are shown to users; a wait is long enough for ExitTimeOut and a slow start."""
    assert [state.value for state in State] == [
        "not installed",
        "installed, but disabled",
        "installed, but not loaded",
        "stopping",
        "loaded, but not running",
        "running, but not responding",
        "running",
    ]
    assert BOUNDS == {
        Step.WAIT: Bound(90, 1.0),
        Step.UNLOAD: Bound(3, 1.0),
        Step.WRITE: Bound(1, 0.0),
        Step.ENABLE: Bound(2, 0.5),
        Step.LOAD: Bound(5, 1.0),
        Step.START: Bound(2, 2.0),
        Step.REMOVE: Bound(1, 0.0),
    }
    assert FRESH_S == 30.0
