"""Carrying the steps out: look, take the next step, look again."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.files import write_atomically
from mpsdoctor.service import exit_reasons, launchctl_errors, logs
from mpsdoctor.service.heartbeat import Heartbeat
from mpsdoctor.service.launchctl import Launchctl
from mpsdoctor.service.state import BOUNDS, Goal, Seen, State, Step, next_step

DRAIN_S: Final = 600.0
"""How long the picture that is being rendered may take before the daemon is ended all the same."""

_DRAIN_PAUSE_S: Final = 0.5
_TELL_EVERY_S: Final = 15.0
_STABLE_S: Final = 2.0
_DRAIN_SIGNAL: Final = "SIGUSR1"
_MODE = 0o644  # launchd refuses a list that others may write (code 122)


@dataclass
class Operator:
    """What the steps act on. `tell` takes a line for the user.

    `heartbeat` reads it in the hot folder of the daemon that a property list starts. What is loaded
    was loaded from what is installed, so that daemon is the one that runs, also while a list with
    another folder is being installed.

    `patience` bounds what a drain may take, in seconds; 0 ends the daemon at once, which then takes
    its prompt up again when it starts next.
    """

    launchctl: Launchctl
    heartbeat: Callable[[bytes | None], Heartbeat]
    tell: Callable[[str], None]
    patience: float = DRAIN_S
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _answer: CommandResult | None = field(default=None, init=False)

    def look(self) -> Seen:
        """How it stands now. Raises MpsDoctorError where launchd or the disk does not say."""
        plist = installed(self.launchctl)
        return Seen(
            plist=plist,
            disabled=self.launchctl.is_disabled(),
            job=self.launchctl.job(),
            heartbeat=self.heartbeat(plist),
        )

    def reach(self, goal: Goal, wanted: bytes | None = None) -> Seen:
        """Brings the agent there, from wherever it is; nothing is done where it is there already.

        `wanted` is the property list; None for the installed one.
        Raises MpsDoctorError where it cannot be done: what was installed and what was dropped
        stays, and the same command may be tried again.
        """
        seen = self.look()
        wanted = seen.plist if wanted is None else wanted
        if goal is Goal.START and seen.plist is None:
            raise MpsDoctorError(
                "The agent is not installed", hint="Install it: mpsdoctor service install"
            )
        if goal in (Goal.INSTALL, Goal.START) and seen.is_throttled:
            # kickstart would wait too, or do nothing. The throttle counts from a job's last start,
            # so a new job should have none (docs/verified.md).
            seen = self.reach(Goal.STOP)
        tried: Counter[Step] = Counter()
        while True:
            step = next_step(goal, seen, wanted)
            if step is None:
                break
            if tried[step] >= BOUNDS[step].tries:
                raise self._stuck(step, seen)
            if tried[step]:
                self.sleep(BOUNDS[step].pause)
            if step is Step.UNLOAD and goal is Goal.INSTALL:
                self.drain(seen)
            tried[step] += 1
            self._take(step, wanted)
            seen = self.look()
        if tried and goal in (Goal.INSTALL, Goal.START):
            return self._stable(seen)
        return seen

    def restart(self) -> Seen:
        """A new daemon, when the old one has finished its picture. Raises MpsDoctorError."""
        seen = self.look()
        if seen.plist is not None and seen.job is not None:
            self.drain(seen)
            self.reach(Goal.STOP)
        return self.reach(Goal.START)

    def drain(self, seen: Seen) -> None:
        """Lets a daemon that renders finish its picture and end by itself, within `patience`."""
        if not seen.is_healthy or self.patience <= 0:
            return
        assert seen.job
        try:
            self.launchctl.kill(_DRAIN_SIGNAL)
            self._await_end(seen.job.pid)
        except KeyboardInterrupt:
            # It ends with 0, and launchd lets it rest; until then `start` would find it running.
            self.tell("The daemon ends after its picture all the same.")
            self.tell("To have a new one then: mpsdoctor service restart")
            raise

    def _await_end(self, pid: int | None) -> None:
        started = told = self.clock()
        while (now := self.clock()) - started < self.patience:
            job = self.launchctl.job()
            if job is None or job.pid != pid:
                return
            if now - told >= _TELL_EVERY_S:
                told = now
                self.tell("Waiting for the picture that is being rendered (--now does not) …")
            self.sleep(_DRAIN_PAUSE_S)
        self.tell("The picture takes too long; its prompt is taken up again.")

    def _take(self, step: Step, wanted: bytes | None) -> None:
        try:
            self._do(step, wanted)
        except OSError as error:
            raise MpsDoctorError(
                f"{error.filename or self.launchctl.agent.plist} cannot be changed",
                detail=str(error),
                hint="Free some space, or make the folder yours, then try again.",
            ) from error

    def _do(self, step: Step, wanted: bytes | None) -> None:
        match step:
            case Step.WRITE:
                assert wanted is not None
                write(self.launchctl, wanted)
            case Step.REMOVE:
                self.launchctl.agent.plist.unlink(missing_ok=True)
            case Step.ENABLE:
                self._answer = self.launchctl.enable()
            case Step.UNLOAD:
                self._unload()
            case Step.LOAD:
                self._load()
            case Step.START:
                self._answer = self.launchctl.kickstart()
            case Step.WAIT:
                pass

    def _unload(self) -> None:
        self._answer = self.launchctl.bootout()
        if self._answer.exit_code not in launchctl_errors.GONE | {
            0,
            launchctl_errors.IN_PROGRESS,
            launchctl_errors.IO_ERROR,
        }:
            raise launchctl_errors.failure("bootout", self._answer)

    def _load(self) -> None:
        """It is switched on before, always: that state outlives a property list."""
        agent = self.launchctl.agent
        logs.make_room(agent)
        self.launchctl.enable()
        self._answer = self.launchctl.bootstrap(agent.plist)
        accepted = launchctl_errors.WORTH_ANOTHER_TRY | {0, launchctl_errors.ON_DEMAND_ONLY}
        if self._answer.exit_code not in accepted:
            raise launchctl_errors.failure("bootstrap", self._answer)

    def _stable(self, seen: Seen) -> Seen:
        """The same process is there a little later. Raises MpsDoctorError where it is not."""
        self.sleep(_STABLE_S)
        later = self.look()
        if later.is_healthy and later.job and seen.job and later.job.pid == seen.job.pid:
            return later
        raise self._stuck(Step.START, later)

    def _stuck(self, step: Step, seen: Seen) -> MpsDoctorError:
        answer = self._answer
        refused = answer is not None and answer.exit_code not in (0, None)
        if answer is not None and refused and step in (Step.LOAD, Step.UNLOAD, Step.ENABLE):
            verb = {Step.LOAD: "bootstrap", Step.UNLOAD: "bootout", Step.ENABLE: "enable"}[step]
            return launchctl_errors.failure(verb, answer)
        return not_up(self.launchctl, seen)


def not_up(launchctl: Launchctl, seen: Seen) -> MpsDoctorError:
    """Why the agent is not where it should be, by what launchd and the log say."""
    reasons = [f"launchd says: {seen.state.value}."]
    if seen.job and (ended := exit_reasons.last_exit(seen.job)):
        reasons.append(f"The last time it ended with {ended}.")
    if seen.job and seen.job.pended:
        reasons.append(f"launchd puts its start off ({seen.job.pended}); Low Power Mode does that.")
    lines = logs.last_words(launchctl.agent, 5)
    if lines:
        reasons.append("Its last output:")
    title = {
        State.STOPPING: "The agent does not end",
        State.UNHEALTHY: "The daemon runs, but gives no sign of life",
    }.get(seen.state, "The agent does not stay up")
    return MpsDoctorError(
        title,
        detail="\n".join((*reasons, *(f"  {line}" for line in lines))),
        hint="Fix what that names, then: mpsdoctor service restart. The whole log: "
        "mpsdoctor service logs",
    )


def installed(launchctl: Launchctl) -> bytes | None:
    """The installed property list. Raises MpsDoctorError where it cannot be read."""
    path = launchctl.agent.plist
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MpsDoctorError(
            f"{path} cannot be read", detail=str(error), hint=f"Make it yours: ls -le {path}"
        ) from error


def write(launchctl: Launchctl, content: bytes) -> None:
    """The property list, and the folder that launchd reads it from. Raises OSError."""
    plist = launchctl.agent.plist
    plist.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(plist, content)
    plist.chmod(_MODE)
