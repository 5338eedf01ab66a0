"""`mpsdoctor demo`: everything once, from check to pictures, with the embedded model."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.commands.check import show_report
from mpsdoctor.cli.options import profile_option
from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.doctor.examine import examine_machine
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.paths import profile_path

if TYPE_CHECKING:
    from mpsdoctor.hotfolder.pause import Pause

PROMPTS = {
    "red-circle": "a red circle on a white background",
    "blue-star": "a small blue star on a yellow background",
    "heart-and-square": "a green heart left of a purple square on a black background",
}
_TIMEOUT_S = 300.0
_LOOK_S = 0.2
_STOP_S = 10.0


@click.command("demo")
@click.option(
    "--dir",
    "folder",
    metavar="DIR",
    default="mpsdoctor-demo",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The demo's hot folder.",
)
@profile_option
def command(folder: Path, profile: Path | None) -> None:
    """Run everything once, from check to pictures.

    Examines this machine, writes the profile, starts the daemon on a hot folder, drops three
    prompts and waits for three pictures. Downloads nothing: it uses the model that ships with
    mpsdoctor.
    """
    from mpsdoctor.cli.doctor.tuned_profile import write_profile
    from mpsdoctor.constants import ENV_PREFIX
    from mpsdoctor.paths import expand
    from mpsdoctor.profile.quick_settings import read

    path = profile_path(profile, os.environ)
    root = expand(folder)
    # The demo makes its own hot folder, so the usual one need not exist (MPS505).
    report = examine_machine(
        read(path, os.environ), profile=path, ignore=("MPS505",), busy=output.busy
    )
    show_report(report)
    write_profile(report.facts, None, path)
    if not report.facts.is_mac:
        output.tell("This is not a Mac: the demo renders on the CPU. On a Mac it uses mps.")
    arguments = ["--dir", str(root), "--profile", str(path)]
    # A profile may name another model.
    with _daemon(arguments, os.environ | {f"{ENV_PREFIX}MODEL": EMBEDDED_MODEL}) as daemon:
        wait = _Wait(root, daemon)
        _drop(root / "inbox")
        images = wait.for_images()
    output.tell("The pictures:")
    for image in images:
        output.show(str(image))


@dataclass(frozen=True)
class _Daemon:
    """The daemon's process, its output, and the command that starts it again."""

    process: "subprocess.Popen[bytes]"
    log: IO[bytes]
    restart: str

    def printed(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace").strip()


@contextmanager
def _daemon(arguments: list[str], environ: Mapping[str, str]) -> Iterator[_Daemon]:
    argv = [sys.executable, "-m", "mpsdoctor", "watch", *arguments]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(argv, env=environ, stdin=subprocess.DEVNULL, stderr=log)
        try:
            yield _Daemon(process, log, " ".join(["mpsdoctor watch", *arguments]))
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _drop(inbox: Path) -> None:
    inbox.mkdir(parents=True, exist_ok=True)
    for name, prompt in PROMPTS.items():
        output.tell(f"Dropping {name}.txt: {prompt}")
        (inbox / f"{name}.txt").write_text(prompt + "\n", encoding="utf-8")


class _Wait:
    """Watches the hot folder from outside, as `mpsdoctor status` does."""

    def __init__(self, root: Path, daemon: _Daemon) -> None:
        self._root = root
        self._daemon = daemon
        self._earlier = self._images()
        self._earlier_failures = self._failures()
        self._told = False
        self._told_pause: Pause | None = None

    def for_images(self) -> list[Path]:
        """The new images, one per prompt. Raises MpsDoctorError if they do not come."""
        from mpsdoctor.hotfolder.status.status import read_status

        deadline = time.monotonic() + _TIMEOUT_S
        with output.progress_bar() as bar:
            task = bar.add_task("loading the model", total=len(PROMPTS))
            while len(images := self._images() - self._earlier) < len(PROMPTS):
                status = read_status(self._root)
                self._check(status.running, status.paused, deadline)
                if current := status.current:
                    step = f"{current.name}: step {current.step} of {current.steps}"
                    bar.update(task, description=step, completed=len(images))
                time.sleep(_LOOK_S)
        return sorted(images)

    def _check(self, running: bool, paused: "Pause | None", deadline: float) -> None:
        code = self._daemon.process.poll()
        if paused and paused.kind in ("model", "gpu"):
            raise MpsDoctorError(paused.title, hint=paused.hint)
        if paused and paused != self._told_pause:
            self._told_pause = paused
            output.tell(f"The daemon waits: {paused.title}. {paused.hint}")
        if failures := self._failures() - self._earlier_failures:
            reason = sorted(failures)[0]
            raise MpsDoctorError("A prompt failed", detail=reason.read_text("utf-8"))
        if code is not None and code >= 0 and not running:
            raise MpsDoctorError("The daemon has stopped", detail=self._daemon.printed())
        if code is not None and code < 0 and not running and not self._told:
            self._told = True
            output.tell(
                f"The daemon was killed (signal {-code}). Nothing is lost. To continue the demo, "
                f"start the daemon again in another terminal:\n  {self._daemon.restart}"
            )
        if time.monotonic() > deadline:
            raise MpsDoctorError(
                "The pictures did not come in time",
                detail=f"Waited {_TIMEOUT_S:.0f} s. The prompts are still in {self._root}.",
                hint=f"Start the daemon and read what it prints: {self._daemon.restart}",
            )

    def _images(self) -> set[Path]:
        return set((self._root / "images").glob("*.png"))

    def _failures(self) -> set[Path]:
        return set((self._root / "failed").glob("*.error.txt"))
