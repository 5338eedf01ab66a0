"""Carries out the steps: look, take the next step, look again."""

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
"""How long the current picture may take before the daemon is stopped anyway."""

_DRAIN_PAUSE_S: Final = 0.5
_TELL_EVERY_S: Final = 15.0
_STABLE_S: Final = 2.0
_DRAIN_SIGNAL: Final = "SIGUSR1"
_MODE = 0o644  # launchd refuses a list that others may write (code 122)


@dataclass
class Operator:
    """Brings the agent to a goal. `tell` takes a line for the user.

    `heartbeat` finds the hot folder in a property list, and reads the heartbeat there. It gets the
    installed list, because the running daemon was always loaded from that. This also holds while a
    list with another folder is being installed.

    `drain_s` limits how long a drain may take, in seconds. With 0 the daemon stops at once and
    renders its prompt again after the next start.
    """

    launchctl: Launchctl
    heartbeat: Callable[[bytes | None], Heartbeat]
    tell: Callable[[str], None]
    drain_s: float = DRAIN_S
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _answer: CommandResult | None = field(default=None, init=False)

    def look(self) -> Seen:
        """The agent's state now. Raises MpsDoctorError if launchd or the disk cannot be read."""
        plist = installed(self.launchctl)
        return Seen(
            plist=plist,
            disabled=self.launchctl.is_disabled(),
            job=self.launchctl.job(),
            heartbeat=self.heartbeat(plist),
        )

    def reach(self, goal: Goal, wanted: bytes | None = None) -> Seen:
        """Brings the agent to `goal` from any state; does nothing if it is there already.

        `wanted` is the property list; None means the installed one.
        Raises MpsDoctorError if that fails. The installed files and the prompts stay, and the same
        command can be tried again.
        """
        seen = self.look()
        wanted = seen.plist if wanted is None else wanted
        if goal is Goal.START and seen.plist is None:
            raise MpsDoctorError(
                "The agent is not installed", hint="Install it: mpsdoctor service install"
            )
        if goal in (Goal.INSTALL, Goal.START) and seen.is_throttled:
            # kickstart would wait too, or do nothing. launchd throttles from a job's last start, so
            # a new job should not be throttled (docs/verified.md).
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
        """Starts a new daemon after the old one has finished its picture.

        Raises MpsDoctorError if that fails.
        """
        seen = self.look()
        if seen.plist is not None and seen.job is not None:
            self.drain(seen)
            self.reach(Goal.STOP)
        return self.reach(Goal.START)

    def drain(self, seen: Seen) -> None:
        """Lets the daemon finish its picture and stop by itself, within `drain_s`."""
        if not seen.is_healthy or self.drain_s <= 0:
            return
        assert seen.job
        try:
            self.launchctl.kill(_DRAIN_SIGNAL)
            self._await_end(seen.job.pid)
        except KeyboardInterrupt:
            # It exits with 0, so launchd does not restart it; until then `start` finds it running.
            self.tell("The daemon will still stop after its picture.")
            self.tell("To start a new one then: mpsdoctor service restart")
            raise

    def _await_end(self, pid: int | None) -> None:
        started = told = self.clock()
        while (now := self.clock()) - started < self.drain_s:
            job = self.launchctl.job()
            if job is None or job.pid != pid:
                return
            if now - told >= _TELL_EVERY_S:
                told = now
                self.tell("Waiting for the current picture (--now does not wait) …")
            self.sleep(_DRAIN_PAUSE_S)
        self.tell("The picture takes too long. Its prompt will be rendered again.")

    def _take(self, step: Step, wanted: bytes | None) -> None:
        try:
            self._do(step, wanted)
        except OSError as error:
            raise MpsDoctorError(
                f"{error.filename or self.launchctl.agent.plist} cannot be changed",
                detail=str(error),
                hint="Free some disk space, or make yourself the folder's owner, then try again.",
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
        """Always enables the agent first: being disabled outlives a property list."""
        agent = self.launchctl.agent
        logs.make_room(agent)
        self.launchctl.enable()
        self._answer = self.launchctl.bootstrap(agent.plist)
        accepted = launchctl_errors.WORTH_ANOTHER_TRY | {0, launchctl_errors.ON_DEMAND_ONLY}
        if self._answer.exit_code not in accepted:
            raise launchctl_errors.failure("bootstrap", self._answer)

    def _stable(self, seen: Seen) -> Seen:
        """Waits a moment. Raises MpsDoctorError if the same process is not running then."""
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
    """The error that says why the daemon is not running, from launchd and the log."""
    reasons = [f"launchd says: {seen.state.value}."]
    if seen.job and (ended := exit_reasons.last_exit(seen.job)):
        reasons.append(f"Its last exit: {ended}.")
    if seen.job and seen.job.pended:
        reasons.append(f"launchd delays its start ({seen.job.pended}), as in Low Power Mode.")
    lines = logs.last_output(launchctl.agent, 5)
    if lines:
        reasons.append("Its last output:")
    title = {
        State.STOPPING: "The agent does not stop",
        State.UNHEALTHY: "The daemon runs, but does not respond",
    }.get(seen.state, "The agent does not keep running")
    return MpsDoctorError(
        title,
        detail="\n".join((*reasons, *(f"  {line}" for line in lines))),
        hint="Fix the cause, then: mpsdoctor service restart. The full log: mpsdoctor service logs",
    )


def installed(launchctl: Launchctl) -> bytes | None:
    """The installed property list. Raises MpsDoctorError if it cannot be read."""
    path = launchctl.agent.plist
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MpsDoctorError(
            f"{path} cannot be read",
            detail=str(error),
            hint=f"See who may read it, and change that: ls -le {path}",
        ) from error


def write(launchctl: Launchctl, content: bytes) -> None:
    """Writes the property list, and makes its folder. Raises OSError if that fails."""
    plist = launchctl.agent.plist
    plist.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(plist, content)
    plist.chmod(_MODE)
