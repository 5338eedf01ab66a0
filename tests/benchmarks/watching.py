"""A daemon in a process of its own, and what it says."""

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.resources import embedded_model

REPOSITORY = Path(__file__).parents[2]
WATCH = (sys.executable, "-m", "mpsdoctor", "watch")
OBSERVED = (sys.executable, "-m", "tests.benchmarks.observed_watch")
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Setting:
    """What both sides render with; `size` is a picture's side in pixels."""

    model: str = EMBEDDED_MODEL
    device: str = "cpu"
    dtype: str = "float32"
    steps: int = 20
    size: int = 128

    @property
    def folder(self) -> str:
        """For those who do not know the embedded model by its name."""
        return str(embedded_model()) if self.model == EMBEDDED_MODEL else self.model

    def write_profile(self, path: Path) -> None:
        """The device is the CPU unless a worker of the benchmarks takes another."""
        path.write_text(
            f"model = '{self.model}'\ndevice = 'cpu'\ndtype = '{self.dtype}'\n"
            f"num_inference_steps = {self.steps}\nwidth = {self.size}\nheight = {self.size}\n"
        )


class Lines:
    """What a process prints, with the monotonic time at which it was read."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._lines: queue.SimpleQueue[tuple[float, str | None]] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(process,), daemon=True).start()

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout
        for line in process.stdout:
            self._lines.put((time.monotonic(), line.rstrip()))
        self._lines.put((time.monotonic(), None))

    def wait_for(self, word: str, seconds: float = PATIENCE_S) -> tuple[float, str]:
        """The next line with `word` in it."""
        seen: list[str] = []
        deadline = time.monotonic() + seconds
        with contextlib.suppress(queue.Empty):
            while True:
                at, line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
                if line is None:
                    break
                if word in line:
                    return at, line
                seen.append(line)
        raise RuntimeError("\n".join([f"no {word!r} in", *seen[-20:]]))


@contextlib.contextmanager
def process(
    command: Sequence[str], environ: Mapping[str, str] | None = None
) -> Iterator[tuple["subprocess.Popen[str]", Lines]]:
    """Runs until the end of the block; what it prints on stderr is read as well."""
    child = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=os.environ | {"HF_HUB_OFFLINE": "1"} | dict(environ or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield child, Lines(child)
    finally:
        child.terminate()
        child.wait()


@contextlib.contextmanager
def watching(
    home: Path, setting: Setting, *, worker: str = "", **environ: str
) -> Iterator[tuple[psutil.Process, Lines, Layout]]:
    """The daemon on the hot folder `home`/hot: `mpsdoctor watch`, or with the module `worker`."""
    layout = Layout(home / "hot")
    layout.create()
    profile = home / "profile.toml"
    setting.write_profile(profile)
    root = str(layout.root)
    command = (*OBSERVED, root, worker) if worker else (*WATCH, "--dir", root)
    own = {"MPSDOCTOR_PROFILE_FILE": str(profile), "XDG_STATE_HOME": str(home), **environ}
    with process(command, own) as (child, lines):
        yield psutil.Process(child.pid), lines, layout


def drop(layout: Layout, name: str, text: str) -> float:
    """Puts a finished file into the inbox by a rename; the monotonic time just before."""
    hidden = layout.root / name
    hidden.write_text(text)
    before = time.monotonic()
    hidden.rename(layout.inbox / name)
    return before
