"""`mpsdoctor watch` on a terminal and elsewhere; the daemon itself is in test_daemon.py."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from mpsdoctor.cli import main
from mpsdoctor.constants import ExitCode
from mpsdoctor.facts import saved
from mpsdoctor.facts.records import Facts
from mpsdoctor.hotfolder import daemon
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.profile.settings import Profile
from tests.support.machines import MACHINES
from tests.support.terminal import terminal

# The command as it is, around a daemon that tells of one picture and ends with SIGTERM.
PROGRAM = """
import signal, sys, types
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.status import events
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.lock import locked
from mpsdoctor.hotfolder.status.progress import ProgressFile

def watch(root, profile, *, environ, on_event):
    layout = Layout(root)
    layout.create()
    if (root / "refuse").exists():
        raise MpsDoctorError("No GPU", detail="SECRET", hint="Look.")
    with locked(layout):
        file = ProgressFile(layout.status_file)
        def tell(event):
            file.update(event)
            on_event(event)
        tell(events.Started(root, 0))
        tell(events.Loaded("shapes", "cpu"))
        tell(events.Rendering("1", "heart.txt"))
        tell(events.Published("1", "heart.txt", root / "images/heart.png", 3.2, ("SECRET",)))
        signal.sigwait({signal.SIGTERM})
        tell(events.Stopped())

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
sys.modules["mpsdoctor.hotfolder.daemon"] = types.SimpleNamespace(watch=watch)
from mpsdoctor.cli.main import main
main(["watch", *sys.argv[1:]])
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A home of its own."""
    profile = tmp_path / "profile.toml"
    profile.write_text("schema_version = 1\n")
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return {**kept, "HOME": str(tmp_path), "MPSDOCTOR_PROFILE_FILE": str(profile)}


@pytest.fixture
def argv(tmp_path: Path) -> tuple[str, ...]:
    """The command on a folder of its own."""
    return sys.executable, "-c", PROGRAM, "--dir", str(tmp_path / "hot folder")


def log(home: Path) -> str:
    [path] = home.rglob("daemon.log")
    return path.read_text()


def test_a_terminal_shows_the_state_of_the_folder(
    tmp_path: Path, environ: dict[str, str], argv: tuple[str, ...]
) -> None:
    """Results and worker at once, the last state at the end, and the lines in the log file."""
    with terminal(argv, environ) as shown:
        shown.wait_for("heart.txt: heart.png (3.2 s)")
        shown.wait_for("shapes on cpu")
        assert "Watching" not in shown.written
        assert 0 == shown.end(signal.SIGTERM)
        assert shown.written.index("\x1b[?25l") < shown.written.rindex("\x1b[?25h")
    assert "heart.txt: rendering\n" in log(tmp_path)
    assert log(tmp_path).endswith(" Stopped.\n")
    assert "SECRET" not in log(tmp_path)


def test_elsewhere_each_event_is_a_line(
    tmp_path: Path, environ: dict[str, str], argv: tuple[str, ...]
) -> None:
    """On stderr and in the log file, the same, with their time and nothing for a terminal."""
    layout = Layout(tmp_path / "hot folder")
    with subprocess.Popen(argv, env=environ, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        first = process.stderr.readline()
        process.terminate()
        told = first + process.stderr.read()
    assert 0 == process.returncode
    assert log(tmp_path) == told
    assert [
        f"Watching {layout.inbox}",
        "shapes is ready on cpu",
        "heart.txt: rendering",
        f"heart.txt: {layout.images}/heart.png (3.2 s, 1 note)",
        "Stopped.",
    ] == [line.split(" ", 2)[2] for line in told.splitlines()]


def test_the_log_says_why_it_did_not_start(
    tmp_path: Path, environ: dict[str, str], argv: tuple[str, ...]
) -> None:
    """The terminal says more, which need not be anybody's business."""
    refuse = tmp_path / "hot folder" / "refuse"
    refuse.parent.mkdir()
    refuse.touch()
    with terminal(argv, environ) as shown:
        assert 1 == shown.wait(30)
        assert "No GPU" in shown.written
        assert "SECRET" in shown.written
    assert log(tmp_path).endswith(" No GPU\n")
    assert "SECRET" not in log(tmp_path)


def test_every_model_of_the_profile_gets_settings_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A prompt file that names another model is not rendered with the size of the first.

    A folder that does not exist is told, and the others are watched for.
    """
    sdxl = "stabilityai/stable-diffusion-xl-base-1.0"
    path = tmp_path / "profile.toml"
    path.write_text(f'width = 128\nnum_inference_steps = 12\nmodels = ["{sdxl}"]\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(saved, "conditions", lambda *_: {})
    facts = msgspec.json.decode((MACHINES / "linux-bare.json").read_bytes(), type=Facts)
    saved.save(tmp_path / "profile.facts.json", facts, {})
    given: list[Profile] = []
    monkeypatch.setattr(daemon, "watch", lambda _root, profiles, **_: given.extend(profiles))

    folder = ["--dir", str(tmp_path / "hot"), "--profile", str(path)]
    assert ExitCode.OK is main.run(["watch", *folder])
    assert ("", "") == capsys.readouterr()
    assert [("shapes", 128, 12), (sdxl, None, None)] == [
        (profile.model, profile.width, profile.num_inference_steps) for profile in given
    ]

    gone = tmp_path / "gone"
    path.write_text(path.read_text().replace('["', f'["{gone}", "shapes", "'))
    given.clear()
    assert ExitCode.OK is main.run(["watch", *folder])
    assert ["shapes", sdxl] == [profile.model for profile in given]
    told = f"The profile lists {gone} in `models`, but there is no such folder.\n"
    assert ("", told) == capsys.readouterr()
