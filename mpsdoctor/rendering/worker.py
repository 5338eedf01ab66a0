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
from mpsdoctor.records import Record
from mpsdoctor.rendering.protocol import (
    Configure,
    Failed,
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

Send = Callable[[Record], None]
"""Writes one message to the daemon."""


def main() -> None:
    """Serves one daemon until it closes stdin."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ^C reaches the whole group: the daemon decides
    answers = _private_stdout()
    commands = _commands(sys.stdin.buffer)

    def send(message: Record) -> None:
        answers.write(to_line(message))

    configure = commands.get()
    assert isinstance(configure, Configure)
    serve(configure.profile, commands, send)
    # Not by returning: the thread that waits for stdin would abort the interpreter's shutdown.
    os._exit(0)


def serve(
    profile: Profile, commands: "queue.SimpleQueue[Configure | RenderJob]", send: Send
) -> None:
    """Loads the profile's pipeline, then renders job after job; returns only on `Refused`."""
    from mpsdoctor.rendering.quiet import quieten_libraries

    quieten_libraries()
    from mpsdoctor.rendering.pipeline import load_pipeline

    try:
        pipe = load_pipeline(profile)
    except MpsDoctorError as error:
        send(Refused(title=error.title, detail=error.detail, hint=error.hint))
        return
    pipe.set_progress_bar_config(disable=True)
    send(Ready(model=profile.model, device=profile.device))
    while True:
        command = commands.get()
        if isinstance(command, RenderJob):
            send(_render(profile, pipe, command, send))


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
    except MpsDoctorError as error:
        return Failed(job=job.job, title=error.title, detail=error.detail, hint=error.hint)
    except Exception as error:
        traceback.print_exc()
        return Failed(
            job=job.job,
            title="This picture could not be rendered",
            detail=f"{type(error).__name__}: {error}",
            hint="`mpsdoctor check` looks for known faults; the daemon's log has the details.",
        )
    return Rendered(job=job.job, output=job.output, seconds=time.monotonic() - started)


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
