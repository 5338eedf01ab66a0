"""Runs launchctl and parses its output.

The output of `print` is for people and may change (launchctl(1)), so every value may be absent.
"""

import re
from pathlib import Path

from mpsdoctor.facts.agent import Job
from mpsdoctor.facts.command import CommandResult, Runner
from mpsdoctor.service import launchctl_errors
from mpsdoctor.service.agent import Agent

PROGRAM = "/bin/launchctl"
_SECONDS = 30.0

# The agent's own lines have exactly one tab. Nested blocks have more, with other states and pids.
_LINE = re.compile(r"^\t([a-z][a-z ()/_-]*) = ([^\n{]+)$", re.MULTILINE)
_NUMBER = re.compile(r"-?\d+")
_KIND = re.compile(r" \(\d+\)$")
_SWITCHED_OFF = re.compile(r'^\s*"(?P<label>[^"\n]+)" => (?P<state>\w+)', re.MULTILINE)


class Launchctl:
    """launchctl's commands for one agent. Those that change something return its answer."""

    def __init__(self, run: Runner, agent: Agent) -> None:
        self._run = run
        self.agent = agent

    def session(self) -> CommandResult:
        """The answer whose exit code says whether there is a login session."""
        return self._ask("print", self.agent.domain)

    def job(self) -> Job | None:
        """The agent's job in launchd; None if it is not loaded.

        Raises MpsDoctorError if launchctl fails.
        """
        result = self._ask("print", self.agent.target)
        if result.exit_code in launchctl_errors.GONE:
            return None
        if result.exit_code != 0:
            raise launchctl_errors.failure("print", result)
        return parse_job(result.stdout)

    def is_disabled(self) -> bool | None:
        """Whether the user or `launchctl disable` has disabled it; None if that is unknown."""
        result = self._ask("print-disabled", self.agent.domain)
        return parse_disabled(result.stdout, self.agent.label) if result.exit_code == 0 else None

    def enable(self) -> CommandResult:
        """Enable it. This outlives the property list, and so does disabling it."""
        return self._ask("enable", self.agent.target)

    def bootstrap(self, plist: Path) -> CommandResult:
        """Load it."""
        return self._ask("bootstrap", self.agent.domain, str(plist))

    def bootout(self) -> CommandResult:
        """Stop and unload it: SIGTERM first, then SIGKILL after its ExitTimeOut."""
        return self._ask("bootout", self.agent.target)

    def kickstart(self) -> CommandResult:
        """Start it now, even while launchd delays agents that nothing requests."""
        return self._ask("kickstart", self.agent.target)

    def kill(self, signal: str) -> CommandResult:
        """Send a signal, such as `SIGUSR1`, to its main process."""
        return self._ask("kill", signal, self.agent.target)

    def _ask(self, *arguments: str) -> CommandResult:
        return self._run((PROGRAM, *arguments), _SECONDS)


def parse_job(text: str) -> Job:
    """Parses the output of `launchctl print gui/UID/LABEL`."""
    lines: dict[str, str] = {}
    for name, value in _LINE.findall(text):
        lines.setdefault(name, value.strip())
    spawn_type = lines.get("spawn type")
    return Job(
        state=lines.get("state"),
        pid=_number(lines.get("pid")),
        runs=_number(lines.get("runs")),
        last_exit_code=_number(lines.get("last exit code")),
        last_exit_reason=lines.get("last exit reason"),
        last_signal=lines.get("last terminating signal"),
        spawn_type=_KIND.sub("", spawn_type) if spawn_type else None,
        pended=_pended(lines.get("pended nondemand spawn")),
    )


def parse_disabled(text: str, label: str) -> bool:
    """Whether `launchctl print-disabled` lists `label` as disabled.

    Up to macOS 12 it prints `true` for that. A label that is not listed is enabled.
    """
    for found in _SWITCHED_OFF.finditer(text):
        if found["label"] == label:
            return found["state"] in ("disabled", "true")
    return False


def _number(text: str | None) -> int | None:
    """The number at the start of a value: 78 in `78: EX_CONFIG`, None in `(never exited)`."""
    match = _NUMBER.match(text or "")
    return int(match[0]) if match else None


def _pended(text: str | None) -> str | None:
    return None if text in ("0", "false", "(none)") else text
