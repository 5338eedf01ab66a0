"""The real daemon in a forked process, so that it starts at once: nothing is imported again."""

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder import daemon
from mpsdoctor.hotfolder.daemon import Intervals, watch
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.status.events import Event
from mpsdoctor.profile.settings import Profile
from tests.support.crash_scenarios import waiting

STAND_IN: Final = (sys.executable, "-m", "tests.support.stand_in_worker")
QUICK: Final = Intervals(settle=0.001, settle_empty=0.05, rescan=0.02, retry=0.01)
BOUND_S: Final = 30.0
_REFUSED: Final = 3
_BROKEN: Final = 4
_POLL_S: Final = 0.004
_LOOKS: Final = 3

OnEvent = Callable[[Event], None]
NO_TROUBLE: Final = contextlib.nullcontext


@dataclass(frozen=True)
class End:
    """How a daemon ended: by SIGKILL, by an MpsDoctorError (`refused`), or in peace."""

    killed: bool = False
    refused: bool = False


class _NoEvents:
    """In place of file events: the fork of a process must not use macOS' CoreFoundation."""

    def __init__(self, *_: object) -> None:
        return

    def check(self) -> None:
        return

    def close(self) -> None:
        return


def run_daemon(
    layout: Layout,
    trouble: Callable[[], AbstractContextManager[OnEvent | None]],
    *,
    tape: Path,
    bound_s: float = BOUND_S,
) -> End:
    """Until all is done that there is to do, or the daemon has ended before.

    `trouble` is entered in the daemon's process and gives what hears its events. They are
    written to `tape` as JSON lines, with what the daemon logs. Raises AssertionError where it
    does not end in time, or ends with a traceback.
    """
    before = tape.stat().st_size if tape.exists() else 0
    process = os.fork()
    if not process:
        _serve(layout, trouble, tape)
    is_told, looks = False, 0
    deadline = time.monotonic() + bound_s
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            break
        if not is_told:
            # More than once: a file may move from where is yet to be looked to where was looked.
            looks = looks + 1 if _has_started(tape, before) and not waiting(layout) else 0
        if looks == _LOOKS and not is_told:
            os.kill(process, signal.SIGTERM)
            is_told = True
        if time.monotonic() > deadline:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            raise AssertionError(f"not done within {bound_s} s:\n{tape.read_text()[-3000:]}")
        time.sleep(_POLL_S)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, -signal.SIGKILL, _REFUSED):
        raise AssertionError(f"the daemon ended with {code}:\n{tape.read_text()[-3000:]}")
    return End(killed=code == -signal.SIGKILL, refused=code == _REFUSED)


def _has_started(tape: Path, before: int) -> bool:
    """Whether it says so on the part of the tape that is new."""
    if not tape.exists() or tape.stat().st_size == before:
        return False
    with tape.open("rb") as file:
        file.seek(before)
        return b'{"kind": "Started"' in file.read()


def _serve(
    layout: Layout, trouble: Callable[[], AbstractContextManager[OnEvent | None]], tape: Path
) -> None:
    """The daemon's side, which does not return."""
    status = _BROKEN
    try:
        recording = os.open(tape, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(recording, 2)
        with mock.patch.object(daemon, "InboxObserver", _NoEvents), trouble() as hear:

            def on_event(event: Event) -> None:
                line = {"kind": type(event).__name__, **asdict(event)}
                os.write(recording, json.dumps(line, default=_plain).encode() + b"\n")
                if hear:
                    hear(event)

            watch(
                layout.root,
                [Profile(model="stand-in")],
                environ=os.environ,
                on_event=on_event,
                worker=STAND_IN,
                intervals=QUICK,
            )
        status = 0
    except MpsDoctorError as error:
        os.write(2, f"{error.title}: {error.detail}\n".encode())
        status = _REFUSED
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _plain(value: Any) -> str:
    return str(value)


def told(tape: Path) -> list[dict[str, Any]]:
    """The events on tape."""
    lines = tape.read_text().splitlines() if tape.exists() else []
    return [json.loads(line) for line in lines if line.startswith('{"kind"')]
