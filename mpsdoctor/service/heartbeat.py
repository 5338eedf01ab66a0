"""The daemon's heartbeat, which it leaves in the hot folder."""

from dataclasses import dataclass
from pathlib import Path

from mpsdoctor.hotfolder.status.status import read_status

FRESH_S = 30.0
"""The daemon writes one every 2 to 5 seconds; a Mac that swaps may be late."""


@dataclass(frozen=True)
class Heartbeat:
    """The daemon that has locked the hot folder, and the seconds since its last heartbeat.

    `pid` is None if no daemon has locked it; `age` is None if there is no heartbeat yet.
    """

    pid: int | None = None
    age: float | None = None

    def is_of(self, pid: int | None) -> bool:
        """Whether process `pid` is that daemon, with a recent heartbeat."""
        if pid is None or self.pid != pid:
            return False
        return self.age is None or self.age < FRESH_S


def read(root: Path, now: float) -> Heartbeat:
    """The heartbeat in the hot folder `root`; `now` is the time in seconds since the epoch.

    A daemon without a heartbeat yet counts as alive while it has the folder locked.
    """
    status = read_status(root)
    if status.heartbeat is None:
        return Heartbeat(status.pid)
    return Heartbeat(status.pid, max(0.0, now - status.heartbeat))
