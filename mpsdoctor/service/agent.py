"""What the agent is called and where it lies. Nothing here is in a folder that macOS protects."""

from dataclasses import dataclass
from pathlib import Path

WATCH = "io.github.mpsdoctor.watch"
PROBE = "io.github.mpsdoctor.probe"


@dataclass(frozen=True)
class Agent:
    """A launchd agent of the user `uid`, whose home is `home`.

    `gui/UID` exists only where that user is logged in at the screen; an agent there gets the GPU
    and the user's folders (launchctl(1)).
    """

    home: Path
    uid: int
    label: str = WATCH

    @property
    def domain(self) -> str:
        """The user's login session, as launchctl names it."""
        return f"gui/{self.uid}"

    @property
    def target(self) -> str:
        """This agent in it."""
        return f"{self.domain}/{self.label}"

    @property
    def plist(self) -> Path:
        """The property list, which launchd reads at each login."""
        return self.home / "Library" / "LaunchAgents" / f"{self.label}.plist"

    @property
    def logs(self) -> Path:
        """The folder of its logs. launchd opens them, and does not make the folder."""
        return self.home / "Library" / "Logs" / "mpsdoctor"

    @property
    def log(self) -> Path:
        """What the daemon logs: `paths.log_file` on macOS. It rotates it itself."""
        return self.logs / "daemon.log"

    @property
    def stderr_log(self) -> Path:
        """What launchd gets to see: errors of a start and of a crash."""
        return self.logs / "watch.stderr.log"

    @property
    def earlier_stderr_log(self) -> Path:
        """The same from before a start that found `stderr_log` large."""
        return self.logs / "watch.stderr.1.log"
