"""What `mpsdoctor demo` says while it waits, beside a daemon that is played."""

import io
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import msgspec
import pytest

from mpsdoctor.cli import main
from mpsdoctor.cli.commands import demo
from mpsdoctor.constants import ExitCode
from mpsdoctor.facts import collect
from mpsdoctor.facts.records import Facts
from mpsdoctor.hotfolder.pause import Pause
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.lock import locked
from mpsdoctor.hotfolder.status.progress import Progress
from tests.support.machines import MACHINES

MAC = msgspec.json.decode(
    (MACHINES / "m2-pro-macos-14.7.4-torch-2.6.0.json").read_bytes(), type=Facts
)


class Daemon:
    """Stands in for the process; `acts` is what happens at each look of the demo."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)
        self.acts: Iterator[Callable[[], object]] = iter(())
        self.code: int | None = None
        self.asked: list[tuple[list[str], str]] = []
        self.ended: list[str] = []
        self.log: IO[bytes] = io.BytesIO()

    def start(
        self, argv: list[str], *, env: dict[str, str], stdin: int, stderr: IO[bytes]
    ) -> "Daemon":
        assert stdin == subprocess.DEVNULL
        self.asked.append((argv, env["MPSDOCTOR_MODEL"]))
        self.log = stderr
        return self

    def poll(self) -> int | None:
        next(self.acts, lambda: None)()
        return self.code

    def terminate(self) -> None:
        self.ended.append("terminate")

    def kill(self) -> None:
        self.ended.append("kill")

    def wait(self, seconds: float | None = None) -> None:
        self.ended.append(f"wait {seconds}")
        if seconds is not None and self.code is None:
            raise subprocess.TimeoutExpired("watch", seconds)

    def stop(self, code: int, said: bytes = b"") -> None:
        """It has ended."""
        self.code = code
        self.log.write(said)

    def pause(self, kind: str) -> None:
        """Its status says that it waits."""
        paused = Pause(kind=kind, title="It waits", hint="Do this.")  # type: ignore[arg-type]
        self.layout.status_file.write_bytes(msgspec.json.encode(Progress(paused=paused)))

    def fail(self) -> None:
        """A prompt has failed."""
        (self.layout.failed / "red-circle.error.txt").write_text("Why it failed.\n")

    def render(self) -> None:
        """All pictures are there."""
        for name in demo.PROMPTS:
            (self.layout.images / f"{name}.png").touch()


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """One that never answers, on a recorded Mac, with the folder's lock."""
    daemon = Daemon(tmp_path / "demo")
    monkeypatch.setattr(collect, "collect", lambda **_: MAC)
    monkeypatch.setattr(subprocess, "Popen", daemon.start)
    monkeypatch.setattr(demo, "_LOOK_S", 0.0)
    monkeypatch.setattr(demo, "_TIMEOUT_S", 5.0)
    monkeypatch.setenv("HOME", str(tmp_path))
    daemon.layout.create()
    with locked(daemon.layout):
        yield daemon


def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str], list[str]]:
    """The exit code, the pictures, and what was told after the prompts were dropped."""
    code = main.run(
        ["demo", "--dir", str(tmp_path / "demo"), "--profile", str(tmp_path / "p.toml")]
    )
    shown = capsys.readouterr()
    told = shown.err.splitlines()
    dropped = [f"Dropping {name}.txt: {prompt}" for name, prompt in demo.PROMPTS.items()]
    at = told.index(dropped[0])
    assert dropped == told[at : at + 3]
    return code, [line for line in shown.out.splitlines() if line.endswith(".png")], told[at + 3 :]


def test_the_pictures_are_named_and_the_daemon_is_stopped(
    tmp_path: Path, daemon: Daemon, capsys: pytest.CaptureFixture[str]
) -> None:
    """It renders with the embedded model; earlier pictures and errors do not count."""
    (daemon.layout.images / "earlier.png").touch()
    (daemon.layout.failed / "earlier.error.txt").touch()
    daemon.acts = iter([lambda: None, daemon.render])

    code, shown, told = run(tmp_path, capsys)

    names = sorted(demo.PROMPTS)
    assert (ExitCode.OK, ["The pictures:"]) == (code, told)
    assert [str(daemon.layout.images / f"{name}.png") for name in names] == shown
    options = ["--dir", str(tmp_path / "demo"), "--profile", str(tmp_path / "p.toml")]
    [(argv, model)] = daemon.asked
    assert (["-m", "mpsdoctor", "watch", *options], "shapes") == (argv[1:], model)
    assert ["terminate", "wait 10.0", "kill", "wait None"] == daemon.ended
    prompts = {path.stem: path.read_text() for path in daemon.layout.inbox.iterdir()}
    assert {name: f"{prompt}\n" for name, prompt in demo.PROMPTS.items()} == prompts


@pytest.mark.parametrize("kind", ["model", "gpu"])
def test_a_pause_that_only_the_user_can_end_ends_the_demo(
    tmp_path: Path, daemon: Daemon, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """With the daemon's own words."""
    daemon.pause(kind)

    assert (ExitCode.FINDINGS, [], ["Error: It waits", "  Do this."]) == run(tmp_path, capsys)


def test_any_other_pause_is_told_once(
    tmp_path: Path, daemon: Daemon, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo waits, too."""
    daemon.pause("heat")
    daemon.acts = iter([lambda: None, lambda: None, daemon.render])

    code, shown, told = run(tmp_path, capsys)

    assert (ExitCode.OK, 3) == (code, len(shown))
    assert ["The daemon waits: It waits. Do this.", "The pictures:"] == told


def test_a_prompt_that_failed_ends_the_demo(
    tmp_path: Path, daemon: Daemon, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the error beside the prompt."""
    daemon.acts = iter([daemon.fail])

    error = ["Error: A prompt failed", "  Why it failed."]
    assert (ExitCode.FINDINGS, [], error) == run(tmp_path, capsys)


def test_pictures_that_do_not_come_end_the_demo(
    tmp_path: Path,
    daemon: Daemon,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """After a time limit, with the command that shows what the daemon does."""
    monkeypatch.setattr(demo, "_TIMEOUT_S", 0.0)
    root, profile = tmp_path / "demo", tmp_path / "p.toml"

    error = [
        "Error: The pictures did not come in time",
        f"  Waited 0 s. The prompts are still in {root}.",
        "  Start the daemon and read what it prints: mpsdoctor watch --dir "
        f"{root} --profile {profile}",
    ]
    assert (ExitCode.FINDINGS, [], error) == run(tmp_path, capsys)


def test_a_daemon_that_stops_ends_the_demo_with_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is killed can be started again, and the demo continues."""
    daemon = Daemon(tmp_path / "demo")
    monkeypatch.setattr(collect, "collect", lambda **_: MAC)
    monkeypatch.setattr(subprocess, "Popen", daemon.start)
    monkeypatch.setattr(demo, "_LOOK_S", 0.0)
    daemon.layout.create()
    daemon.acts = iter([lambda: None, lambda: daemon.stop(1, b"Error: No GPU\xff\n")])
    error = ["Error: The daemon has stopped", "  Error: No GPU\ufffd"]
    assert (ExitCode.FINDINGS, [], error) == run(tmp_path, capsys)
    assert ["terminate", "wait 10.0"] == daemon.ended

    daemon.code = None
    daemon.acts = iter([lambda: daemon.stop(-9), lambda: None, daemon.render])
    code, shown, told = run(tmp_path, capsys)
    assert (ExitCode.OK, 3) == (code, len(shown))
    assert told == [
        "The daemon was killed (signal 9). Nothing is lost. To continue the demo, start the "
        "daemon again in another terminal:",
        f"  mpsdoctor watch --dir {tmp_path / 'demo'} --profile {tmp_path / 'p.toml'}",
        "The pictures:",
    ]
