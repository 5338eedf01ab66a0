"""The agent's state, and which step comes next. Pure."""

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from mpsdoctor.facts.agent import Job
from mpsdoctor.service.heartbeat import Heartbeat


class State(str, Enum):
    """How far the agent is, from absent to a running daemon with a heartbeat."""

    ABSENT = "not installed"
    DISABLED = "installed, but disabled"
    INSTALLED = "installed, but not loaded"
    STOPPING = "stopping"
    LOADED = "loaded, but not running"
    UNHEALTHY = "running, but not responding"
    RUNNING = "running"


class Goal(str, Enum):
    """The wanted state: `INSTALL` with the wanted property list, `START` with any."""

    INSTALL = "install"
    START = "start"
    STOP = "stop"
    UNINSTALL = "uninstall"


class Step(str, Enum):
    """One action."""

    WAIT = "wait"
    UNLOAD = "unload"
    WRITE = "write the property list"
    ENABLE = "switch on"
    LOAD = "load"
    START = "start"
    REMOVE = "remove the property list"


@dataclass(frozen=True)
class Bound:
    """How often a step is tried, and the seconds between tries."""

    tries: int
    pause: float


# A job has its ExitTimeOut of 30 s to stop. A daemon that starts spends seconds on imports, and at
# the very first start macOS scans every library.
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

    `plist` is the installed one. `job` is None if the agent is not loaded; `disabled` is None if
    launchd does not say.
    """

    plist: bytes | None
    disabled: bool | None
    job: Job | None
    heartbeat: Heartbeat

    @property
    def is_running(self) -> bool:
        """Whether launchd has a process for it that is not being stopped."""
        return self.job is not None and self.job.pid is not None and not self.is_stopping

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop, but has not stopped yet (`SIGTERMed`, `SIGKILLed`)."""
        state = self.job.state if self.job else None
        return state is not None and state.startswith("SIG")

    @property
    def is_throttled(self) -> bool:
        """Whether it has died and launchd waits for ThrottleInterval before the next start."""
        return self.job is not None and self.job.state == "spawn scheduled"

    @property
    def is_healthy(self) -> bool:
        """Whether the hot folder has a recent heartbeat of its process."""
        return self.is_running and self.job is not None and self.heartbeat.is_of(self.job.pid)

    @property
    def state(self) -> State:
        """The state that all of this adds up to."""
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
    """The step that brings `seen` nearer to `goal`; None if it is reached.

    `wanted` is the property list to run with. A loaded agent is unloaded before another list is
    written. So a loaded agent was always loaded from the installed list, even if this process dies
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
