"""A real `watch` in a process.

`python -m tests.support.hot_folder ROOT MODEL INTERVALS` starts it. It prints each event as a JSON
line; an MpsDoctorError is the last of them.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.daemon import Intervals, watch
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.status.events import Event
from mpsdoctor.hotfolder.worker.timeouts import Timeouts
from mpsdoctor.profile.settings import Profile

STAND_IN = (sys.executable, "-m", "tests.support.stand_in_worker")
INTERVALS = Intervals(settle=0.1, settle_empty=0.4, rescan=1.0, retry=0.2, look=0.1)


class RunningDaemon:
    """A daemon process on a hot folder."""

    def __init__(
        self,
        layout: Layout,
        *,
        model: str,
        intervals: Intervals,
        wrapper: tuple[str, ...],
        ignored: Sequence[signal.Signals],
    ) -> None:
        self.layout = layout
        arguments = [str(layout.root), model, json.dumps(asdict(intervals))]
        with ignoring(ignored):
            self.process = subprocess.Popen(
                [*wrapper, sys.executable, "-m", "tests.support.hot_folder", *arguments],
                cwd=Path(__file__).parents[2],
                stdout=subprocess.PIPE,
                text=True,
            )
        self.seen: list[dict[str, Any]] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)

    def wait_for(self, kind: str, seconds: float = 20.0, **values: object) -> dict[str, Any]:
        """The next event of this kind with these values."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {kind} {values} in {self.seen}") from None
            event: dict[str, Any] = json.loads(line)
            self.seen.append(event)
            if event["kind"] == kind and all(event.get(k) == v for k, v in values.items()):
                return event

    def worker(self) -> int:
        """The process id of its worker."""
        return int(json.loads(self.layout.worker_file.read_bytes())["pid"])

    def kill(self) -> None:
        """As `kill -9` does."""
        self.end(signal.SIGKILL)

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = 10.0) -> int:
        """Sends the signal; the exit status."""
        self.process.send_signal(number)
        return self.wait(seconds)

    def wait(self, seconds: float = 10.0) -> int:
        """The exit status, once it has ended."""
        status = self.process.wait(seconds)
        self._reader.join(seconds)
        assert self.process.stdout
        self.process.stdout.close()
        return status


@contextlib.contextmanager
def ignoring(ignored: Sequence[signal.Signals]) -> Iterator[None]:
    """These signals are ignored in this process, and in its children even after exec."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ignored}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def running(
    layout: Layout,
    *,
    model: str = "stand-in",
    intervals: Intervals = INTERVALS,
    wrapper: tuple[str, ...] = (),
    ignored: Sequence[signal.Signals] = (),
) -> Iterator[RunningDaemon]:
    """A daemon that is killed at the end if it has not ended by then.

    It starts with the signals `ignored` ignored, and no other, whatever is ignored here.
    """
    daemon = RunningDaemon(
        layout,
        model=model,
        intervals=intervals,
        wrapper=wrapper,
        ignored=ignored,
    )
    try:
        yield daemon
    finally:
        if daemon.process.returncode is None:
            daemon.kill()


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Looks every 10 ms; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


def _plain(value: object) -> object:
    return msgspec.to_builtins(value) if isinstance(value, msgspec.Struct) else str(value)


def main(root: str, model: str, intervals: str) -> int:
    """The daemon's side."""

    def show(kind: str, values: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps({"kind": kind, **values}, default=_plain) + "\n")
        sys.stdout.flush()

    def on_event(event: Event) -> None:
        show(type(event).__name__, asdict(event))

    settings = json.loads(intervals)
    timeouts = settings.pop("worker")
    try:
        watch(
            Path(root),
            [Profile(model=name) for name in (model, "aborting", "other")],
            environ=os.environ,
            on_event=on_event,
            worker=STAND_IN,
            intervals=Intervals(**settings, worker=Timeouts(**timeouts)),
        )
    except MpsDoctorError as error:
        show("Error", {"title": error.title, "detail": error.detail, "hint": error.hint})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
