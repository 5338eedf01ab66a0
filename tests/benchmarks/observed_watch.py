"""The real daemon with another worker: `python -m tests.benchmarks.observed_watch ROOT WORKER`.

WORKER is a module. The profile comes from the environment. Each event is a line: the monotonic
time, its kind, and its file's name where it is about one.
"""

import os
import sys
import time
from pathlib import Path

from mpsdoctor.hotfolder.daemon import watch
from mpsdoctor.hotfolder.status.events import Event
from mpsdoctor.paths import profile_file
from mpsdoctor.profile.loading import load
from mpsdoctor.profile.settings import Profile


def tell(event: Event) -> None:
    """Onto stdout."""
    name = getattr(event, "name", "")
    print(f"{time.monotonic()} {type(event).__name__} {name}".rstrip(), flush=True)


def main(root: str, worker: str) -> None:
    """Until SIGTERM."""
    profile = load(Profile, profile_file(os.environ), os.environ).profile
    command = (sys.executable, "-m", worker)
    watch(Path(root), [profile], environ=os.environ, on_event=tell, worker=command)


if __name__ == "__main__":
    main(*sys.argv[1:])
