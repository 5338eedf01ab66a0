"""The child process that renders for the daemon: `python -m mpsdoctor.rendering.worker`.

It reads commands from stdin and answers on stdout, one JSON object a line. It ends at once when
stdin closes: a daemon that died, however, leaves no worker behind.
"""

import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.profile.model import Profile
from mpsdoctor.rendering.libraries import require_quiet_libraries
from mpsdoctor.rendering.protocol import (
    Configure,
    Failed,
    Message,
    Ready,
    Refused,
    Rendered,
    RenderJob,
    Step,
    command_from_line,
    to_line,
)

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline

Send = Callable[[Message], None]
"""Writes one message to the daemon."""


def main() -> None:
    """Serves one daemon until it closes stdin."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ^C reaches the whole group: the daemon decides
    answers = _private_stdout()
    commands = _commands(sys.stdin.buffer)

    def send(message: Message) -> None:
        answers.write(to_line(message))

    serve(commands, send)
    # Not by returning: the thread that waits for stdin would abort the interpreter's shutdown.
    os._exit(0)


def serve(commands: "queue.SimpleQueue[Configure | RenderJob]", send: Send) -> None:
    """Loads the profile's pipeline, then renders job after job; returns only on `Refused`."""
    configure = commands.get()
    assert isinstance(configure, Configure)
    profile = configure.profile
    try:
        pipe = _load(profile)
    except Exception as error:
        reason = _explain(error, f"The model {profile.model} cannot be loaded")
        send(Refused(title=reason.title, detail=reason.detail, hint=reason.hint))
        return
    send(Ready(model=profile.model, device=profile.device))
    while True:
        command = commands.get()
        if isinstance(command, RenderJob):
            send(_render(profile, pipe, command, send))


def _load(profile: Profile) -> "DiffusionPipeline":
    require_quiet_libraries()
    from mpsdoctor.rendering.pipeline import load_pipeline

    pipe = load_pipeline(profile, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _render(
    profile: Profile, pipe: "DiffusionPipeline", job: RenderJob, send: Send
) -> Rendered | Failed:
    from mpsdoctor.rendering.generate import generate
    from mpsdoctor.rendering.pictures import save_png

    started = time.monotonic()

    def on_step(step: int, steps: int) -> None:
        send(Step(job=job.job, step=step, steps=steps))

    try:
        [picture] = generate(profile, pipe, [job.prompt], [job.seed], on_step)
        save_png(picture.image, picture.parameters, Path(job.output), job.job)
    except Exception as error:
        reason = _explain(error, "This picture could not be rendered")
        return Failed(job=job.job, title=reason.title, detail=reason.detail, hint=reason.hint)
    return Rendered(job=job.job, output=job.output, seconds=time.monotonic() - started)


def _explain(error: Exception, title: str) -> MpsDoctorError:
    """What went wrong, for the user; an error that nobody foresaw goes to the log whole."""
    if isinstance(error, MpsDoctorError):
        return error
    traceback.print_exception(error)
    return MpsDoctorError(
        title,
        detail=f"{type(error).__name__}: {error}",
        hint="`mpsdoctor check` looks for known faults; the daemon's log has the details.",
    )


def _private_stdout() -> BinaryIO:
    """Stdout for messages alone: whatever a library prints goes to stderr."""
    private = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return open(private, "wb", buffering=0)  # noqa: PTH123


def _commands(stdin: BinaryIO) -> "queue.SimpleQueue[Configure | RenderJob]":
    commands: queue.SimpleQueue[Configure | RenderJob] = queue.SimpleQueue()

    def read() -> None:
        for line in stdin:
            commands.put(command_from_line(line))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return commands


if __name__ == "__main__":
    main()
