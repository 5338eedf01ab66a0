"""The one screen of `mpsdoctor service status`."""

import os
import time
from pathlib import Path

import psutil
import pytest

from mpsdoctor.cli.display.agent_status import describe
from mpsdoctor.facts.agent import Job
from mpsdoctor.hotfolder.pause import Pause
from mpsdoctor.hotfolder.status.progress import Current
from mpsdoctor.hotfolder.status.status import Status
from mpsdoctor.service import plist
from mpsdoctor.service.agent import Agent
from mpsdoctor.service.heartbeat import Heartbeat
from mpsdoctor.service.state import Seen

STATUS = Status(
    root="/hot\x1b[2J", running=True, pid=7, heartbeat=1.0, stopping=False,
    paused=Pause(kind="heat", title="This Mac is too hot", hint="Free its vents."),
    inbox=12, work=2, done=34, failed=1, images=50,
    current=Current(job="1", name="a\x1b]0;owned\x07.txt", remaining_s=25.0),
    remaining_s=415.0, loading=None, worker=None, results=(),
)  # fmt: skip
AGENT = Agent(Path("/home"), 501)
LIST = plist.render(AGENT, "/opt/python", (), {}, "1.0", b"")
QUEUE = """\
hot folder     /hot\ufffd[2J
paused         This Mac is too hot. Free its vents.
worker         none; the next prompt starts one
rendering      a\ufffd]0;owned\ufffd.txt, 25 s left
waiting        12, about 7 min until all is done
in work        2
done           34, 50 pictures
failed         1
"""
PLACES = """\
log            /home/Library/Logs/mpsdoctor/daemon.log
property list  /home/Library/LaunchAgents/io.github.mpsdoctor.watch.plist
Python         /opt/python"""


def test_without_an_agent_the_page_has_the_queue_and_the_next_step() -> None:
    """With the way out of a pause and the times; no control code of a file's name is printed."""
    page = describe(Seen(None, None, None, Heartbeat()), AGENT, STATUS)

    expected = (
        "agent          not installed\n"
        f"next           mpsdoctor service install\n{QUEUE}{PLACES.splitlines()[0]}"
    )
    shift = len("property list") - len("hot folder")  # the longest label
    narrow = [line[: 15 - shift] + line[15:] for line in expected.splitlines()]
    assert narrow == page.splitlines()
    assert all(line.isprintable() for line in page.splitlines())


@pytest.mark.parametrize(
    ("seen", "rows"),
    [
        (
            Seen(LIST, True, None, Heartbeat()),
            "agent          installed, but disabled\nnext           mpsdoctor service start\n",
        ),
        (
            Seen(LIST, False, None, Heartbeat()),
            "agent          installed, but not loaded\nnext           mpsdoctor service start\n",
        ),
        (
            Seen(LIST, False, Job(runs=1, last_signal="Killed: 9", pended="x"), Heartbeat()),
            "agent          loaded, but not running\n"
            "next           mpsdoctor service start\n"
            "restarts       0\n"
            "last exit      Killed: 9 (macOS reclaimed its memory, or it did not stop in time, or "
            "somebody killed it)\n"
            "delayed        x (launchd waits, as in Low Power Mode)\n",
        ),
        (
            Seen(LIST, False, Job(pid=2**22 + 7, runs=3), Heartbeat()),
            "agent          running, but not responding\n"
            "next           mpsdoctor service logs, then mpsdoctor service restart\n"
            "process        4194311\n"
            "restarts       2\n"
            "last exit      none\n",
        ),
        (
            Seen(LIST, False, Job(state="SIGTERMed", runs=0), Heartbeat()),
            "agent          stopping\nrestarts       0\nlast exit      none\n",
        ),
    ],
)
def test_the_page_of_an_installed_agent_to_the_letter(seen: Seen, rows: str) -> None:
    """State, next step, process, restarts, last exit, and why launchd waits."""
    assert f"{rows}{QUEUE}{PLACES}" == describe(seen, AGENT, STATUS)


def test_a_running_process_has_its_start_time() -> None:
    """In local time; a damaged list does not name its Python."""
    seen = Seen(b"<plist>", False, Job(pid=os.getpid()), Heartbeat(os.getpid(), 1.0))
    started = time.localtime(psutil.Process().create_time())

    lines = describe(seen, AGENT, STATUS).splitlines()

    assert lines[:3] == [
        "agent          running",
        f"process        {os.getpid()}, since {time.strftime('%Y-%m-%d %H:%M', started)}",
        "last exit      none",
    ]
    assert lines[-1] == "Python         not understood"
