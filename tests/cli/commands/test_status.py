"""`mpsdoctor status`, beside a daemon that is played by its lock and its status file."""

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from mpsdoctor.cli import main
from mpsdoctor.constants import ExitCode
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.lock import locked
from mpsdoctor.hotfolder.status import events
from mpsdoctor.hotfolder.status.progress import ProgressFile
from mpsdoctor.hotfolder.status.status import Status
from tests.support.terminal import terminal

STATUS = (sys.executable, "-m", "mpsdoctor", "status")


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """An empty hot folder, and a home without a profile."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    layout = Layout(tmp_path / "hot folder")
    layout.create()
    return layout


@pytest.fixture
def daemon(layout: Layout) -> Iterator[ProgressFile]:
    """It holds the lock and renders the first of three pictures."""
    with locked(layout):
        seconds = itertools.count()
        file = ProgressFile(layout.status_file, clock=lambda: next(seconds))
        file.update(events.Started(layout.root, 0))
        file.update(events.Loaded("shapes", "cpu"))
        file.update(events.Rendering("1", "heart.txt", number=1, pictures=3))
        yield file


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert ExitCode.OK is main.run(["status", *arguments])
    return capsys.readouterr().out


def test_it_says_the_same_in_both_formats(
    layout: Layout, daemon: ProgressFile, capsys: pytest.CaptureFixture[str]
) -> None:
    """And ends with the same exit code, whether a daemon runs or not."""
    text = said(capsys, "--dir", str(layout.root))
    status = msgspec.json.decode(
        said(capsys, "--dir", str(layout.root), "--format", "json"), type=Status
    )
    assert status.running
    assert f"running, process {os.getpid()}" in text
    assert status.current
    assert "heart.txt, picture 1 of 3" in text
    assert ("heart.txt", 1, 3) == (
        status.current.name, status.current.number, status.current.pictures,
    )  # fmt: skip
    assert said(capsys, "--dir", str(layout.root / "nowhere")) == (
        f"hot folder  {layout.root}/nowhere\n"
        "daemon      not running\n"
        "waiting     0\n"
        "in work     0\n"
        "done        0, 0 pictures\n"
        "failed      0\n"
    )


def test_a_terminal_has_the_page_in_its_place(layout: Layout, daemon: ProgressFile) -> None:
    """It changes with the folder, without a new page below, until control-C."""
    with terminal((*STATUS, "--watch", "--dir", str(layout.root)), os.environ) as shown:
        shown.wait_for("picture 1 of 3")
        daemon.update(events.Stepped("1", "heart.txt", 1, 12, 30, 25.0))
        shown.wait_for("step 12 of 30")
        assert "\x1b[1A" in shown.written, "the cursor goes back up"
        assert int(ExitCode.OK) == shown.end(signal.SIGINT)
        assert shown.written.index("\x1b[?25l") < shown.written.rindex("\x1b[?25h")


def test_a_pipe_gets_an_object_a_line(layout: Layout, daemon: ProgressFile) -> None:
    """A new one whenever something has changed, except for the heartbeat."""
    argv = (*STATUS, "--watch", "--format", "json", "--dir", str(layout.root))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert "shapes" == json.loads(process.stdout.readline())["worker"]["model"]
        daemon.heartbeat()
        (layout.inbox / "next.txt").touch()
        assert 1 == json.loads(process.stdout.readline())["inbox"]
        process.send_signal(signal.SIGINT)
        assert "" == process.stdout.read()
    assert int(ExitCode.OK) == process.returncode


def test_a_pipe_gets_the_page_again(layout: Layout, daemon: ProgressFile) -> None:
    """As lines, with an empty one between."""
    argv = (*STATUS, "--watch", "--dir", str(layout.root))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        first = list(iter(process.stdout.readline, "failed      0\n"))
        (layout.inbox / "next.txt").touch()
        again = list(iter(process.stdout.readline, "failed      0\n"))
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    assert "\n" == again[0]
    assert [line.replace("waiting     0", "waiting     1") for line in first] == again[1:]
