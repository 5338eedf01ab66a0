"""A simulated Mac for launchd: a stand-in launchctl, a home folder, and a clock that jumps."""

import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from mpsdoctor.facts.command import CommandResult
from mpsdoctor.facts.command import run as run_command
from mpsdoctor.service import plist
from mpsdoctor.service.actions import Operator, write
from mpsdoctor.service.agent import WATCH, Agent
from mpsdoctor.service.heartbeat import Heartbeat
from mpsdoctor.service.launchctl import PROGRAM, Launchctl
from tests.support import launchd
from tests.support.launchd import read_world, write_world

STAND_IN = Path(__file__).with_name("launchctl")
MUTE = ("print", "print-disabled")
"""Commands that change nothing."""


class Mac:
    """The Mac of one test. `silent` is how many more times the daemon has no heartbeat."""

    def __init__(self, folder: Path, **world: object) -> None:
        self.state = folder / "launchd"
        self.state.mkdir(parents=True)
        self.home = folder / "home"
        self.home.mkdir()
        self.agent = Agent(self.home, 501)
        self.silent = 0
        self.time = 0.0
        self.told: list[str] = []
        self.launchctl = Launchctl(self.run, self.agent)
        self.change(**world)

    @property
    def world(self) -> dict[str, Any]:
        """The state of the stand-in."""
        return read_world(str(self.state))

    def change(self, **world: object) -> None:
        """Changes the state, as another program would."""
        write_world(str(self.state), self.world | world)

    def run(self, argv: Sequence[str], timeout: float) -> CommandResult:
        """The runner of a Mac on which /bin/launchctl is the stand-in."""
        if argv[0] != PROGRAM:
            return run_command(argv, timeout)
        if not self.world["spawn"]:
            return self._answer(argv[1], argv[2:])
        environ = {
            "LAUNCHD_STATE": str(self.state),
            "LAUNCHD_HOME": str(self.home),
            "LAUNCHD_PYTHON": sys.executable,
            "PATH": os.environ["PATH"],
        }
        return run_command((str(STAND_IN), *argv[1:]), timeout, environ)

    def _answer(self, verb: str, arguments: Sequence[str]) -> CommandResult:
        """The stand-in's, in this process: thousands of calls need no process each."""
        out, err = StringIO(), StringIO()
        launchd.STATE = str(self.state)
        with redirect_stdout(out), redirect_stderr(err):
            code = launchd.main(verb, list(arguments))
        return CommandResult(code, out.getvalue(), err.getvalue())

    def calls(self) -> list[str]:
        """The commands since the last call of this method, without those that change nothing."""
        path = self.state / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line.split()[0] for line in lines if line.split()[0] not in MUTE]

    def heartbeat(self, _content: bytes | None) -> Heartbeat:
        """The daemon's heartbeat; an old one while `silent` is positive."""
        job = self.world["jobs"].get(WATCH)
        pid = job["pid"] if job else None
        if pid is not None and self.silent > 0:
            self.silent -= 1
            return Heartbeat(pid, 100.0)
        return Heartbeat(pid, 1.0)

    def operator(self, drain_s: float = 60.0) -> Operator:
        """An operator of this Mac; sleeping takes no time."""
        return Operator(
            self.launchctl,
            self.heartbeat,
            self.told.append,
            drain_s=drain_s,
            sleep=self.sleep,
            clock=lambda: 5000.0 + self.time,
        )

    def sleep(self, seconds: float) -> None:
        """Advances the clock at once."""
        self.time += seconds

    def plist(self, version: str = "1.0", **environment: str) -> bytes:
        """A property list for this Mac."""
        return plist.render(self.agent, "/opt/env/bin/python", (), environment, version, b"")

    def put(self, content: bytes) -> None:
        """Writes the property list for launchd, but loads nothing."""
        write(self.launchctl, content)

    def load(self, content: bytes) -> None:
        """Writes the property list and loads it."""
        self.put(content)
        self.agent.logs.mkdir(parents=True, exist_ok=True)
        self.launchctl.enable()
        assert self.launchctl.bootstrap(self.agent.plist).exit_code == 0

    def loaded_list(self) -> dict[str, Any] | None:
        """The loaded property list, which can differ from the one on the disk."""
        job = self.world["jobs"].get(WATCH)
        return job["content"] if job else None
