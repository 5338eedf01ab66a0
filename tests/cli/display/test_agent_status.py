"""The one screen of `mpsdoctor service status`."""

from pathlib import Path

from mpsdoctor.cli.display.agent_status import describe
from mpsdoctor.hotfolder.pause import Pause
from mpsdoctor.hotfolder.status.progress import Current
from mpsdoctor.hotfolder.status.status import Status
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


def test_the_queue_stands_there_as_on_the_page_of_the_hot_folder() -> None:
    """With the way out of a pause and the times; no step before the first, and no control code."""
    lines = describe(Seen(None, None, None, Heartbeat()), Agent(Path("/home"), 501), STATUS)
    rows = dict(line.split(maxsplit=1) for line in lines.splitlines())

    assert all(line.isprintable() for line in lines.splitlines())
    assert "a\ufffd]0;owned\ufffd.txt, 25 s left" == rows["rendering"]
    assert "This Mac is too hot. Free its vents." == rows["paused"]
    assert "12, about 7 min until all is done" == rows["waiting"]
