"""How the agent stands, and which step comes next; pure."""

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from mpsdoctor.facts.agent import Job
from mpsdoctor.service.heartbeat import Heartbeat


class State(str, Enum):
    """How far the agent is, from nothing to a daemon that gives signs of life."""

    ABSENT = "not installed"
    DISABLED = "installed, switched off"
    INSTALLED = "installed, not loaded"
    STOPPING = "stopping"
    LOADED = "loaded, not running"
    UNHEALTHY = "running, but gives no sign of life"
    RUNNING = "running"


class Goal(str, Enum):
    """What is to be reached: `INSTALL` with the wanted property list, `START` with any."""

    INSTALL = "install"
    START = "start"
    STOP = "stop"
    UNINSTALL = "uninstall"


class Step(str, Enum):
    """One thing to do."""

    WAIT = "wait"
    UNLOAD = "unload"
    WRITE = "write the property list"
    ENABLE = "switch on"
    LOAD = "load"
    START = "start"
    REMOVE = "remove the property list"


@dataclass(frozen=True)
class Bound:
    """How often a step is tried, and the seconds between two tries."""

    tries: int
    pause: float


# A job that ends has its ExitTimeOut of 30 s, and a daemon that starts imports for some seconds; on
# its very first start macOS examines every library.
BOUNDS: Final = MappingProxyType(
    {
        Step.WAIT: Bound(90, 1.0),
        Step.UNLOAD: Bound(3, 1.0),
        Step.WRITE: Bound(1, 0.0),
        Step.ENABLE: Bound(2, 0.5),
        Step.LOAD: Bound(5, 1.0),
        Step.START: Bound(2, 2.0),
        Step.REMOVE: Bound(1, 0.0),
    }
)


@dataclass(frozen=True)
class Seen:
    """What launchd, the disk and the hot folder say at one moment.

    `plist` is what is installed; `job` is None where nothing is loaded; `disabled` is None where
    launchd does not say.
    """

    plist: bytes | None
    disabled: bool | None
    job: Job | None
    heartbeat: Heartbeat

    @property
    def is_running(self) -> bool:
        """Whether launchd has a living process for it."""
        return self.job is not None and self.job.pid is not None and not self.is_stopping

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to end, and has not yet (`SIGTERMed`, `SIGKILLed`)."""
        state = self.job.state if self.job else None
        return state is not None and state.startswith("SIG")

    @property
    def is_throttled(self) -> bool:
        """Whether it has died, and launchd waits for ThrottleInterval before it starts it again."""
        return self.job is not None and self.job.state == "spawn scheduled"

    @property
    def is_healthy(self) -> bool:
        """Whether its process is the one that gives signs of life in the hot folder."""
        return self.is_running and self.job is not None and self.heartbeat.is_of(self.job.pid)

    @property
    def state(self) -> State:
        """All of that in a word."""
        if self.job is None:
            if self.plist is None:
                return State.ABSENT
            return State.DISABLED if self.disabled else State.INSTALLED
        if self.is_stopping:
            return State.STOPPING
        if not self.is_running:
            return State.LOADED
        return State.RUNNING if self.is_healthy else State.UNHEALTHY


def next_step(goal: Goal, seen: Seen, wanted: bytes | None) -> Step | None:
    """What brings `seen` nearer to `goal`; None where it is reached.

    `wanted` is the property list to run with. What is loaded is unloaded before another one is
    written: so whatever is loaded was loaded from what is installed, even if this process is ended
    between two steps.
    """
    if seen.is_stopping:
        return Step.WAIT
    if goal in (Goal.STOP, Goal.UNINSTALL):
        if seen.job:
            return Step.UNLOAD
        return Step.REMOVE if goal is Goal.UNINSTALL and seen.plist is not None else None
    if seen.plist != wanted:
        return Step.WRITE if seen.job is None else Step.UNLOAD
    return _bring_up(seen)


def _bring_up(seen: Seen) -> Step | None:
    if seen.disabled:
        return Step.ENABLE
    if seen.job is None:
        return Step.LOAD
    if not seen.is_running:
        return Step.START
    return None if seen.is_healthy else Step.WAIT
