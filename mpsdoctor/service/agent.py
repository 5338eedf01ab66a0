"""The agent's names and files. None of them is in a folder that macOS protects."""

from dataclasses import dataclass
from pathlib import Path

WATCH = "io.github.mpsdoctor.watch"
PROBE = "io.github.mpsdoctor.probe"


@dataclass(frozen=True)
class Agent:
    """A launchd agent of the user `uid`, whose home is `home`.

    `gui/UID` exists only while that user is logged in at the screen. An agent in it can use the GPU
    and the user's folders (launchctl(1)).
    """

    home: Path
    uid: int
    label: str = WATCH

    @property
    def domain(self) -> str:
        """launchctl's name for the user's login session."""
        return f"gui/{self.uid}"

    @property
    def target(self) -> str:
        """launchctl's name for this agent in that session."""
        return f"{self.domain}/{self.label}"

    @property
    def plist(self) -> Path:
        """The property list, which launchd reads at each login."""
        return self.home / "Library" / "LaunchAgents" / f"{self.label}.plist"

    @property
    def logs(self) -> Path:
        """The folder of its logs. launchd opens the files, but does not make the folder."""
        return self.home / "Library" / "Logs" / "mpsdoctor"

    @property
    def log(self) -> Path:
        """The daemon's log, which it rotates itself; `paths.log_file` on macOS."""
        return self.logs / "daemon.log"

    @property
    def stderr_log(self) -> Path:
        """What the daemon prints to launchd: errors of a start or a crash."""
        return self.logs / "watch.stderr.log"

    @property
    def earlier_stderr_log(self) -> Path:
        """The old `stderr_log`, after a start found it too large."""
        return self.logs / "watch.stderr.1.log"
