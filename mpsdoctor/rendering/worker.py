"""The child process that renders for the daemon: `python -m mpsdoctor.rendering.worker`.

It reads commands from stdin and answers on stdout, one JSON object per line. It encodes and writes
a picture while it computes the next one. It writes no other files, and exits when its daemon is
gone, however that ended.
"""

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.files import sync
from mpsdoctor.libraries import require_quiet_libraries
from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.record import JobRecord
from mpsdoctor.prompts.wording import shorten
from mpsdoctor.rendering.explanations import Explanation, explain, explain_saving
from mpsdoctor.rendering.protocol import (
    Configure,
    Failed,
    Message,
    Ready,
    Refused,
    Rendered,
    RenderJob,
    Started,
    Step,
    command_from_line,
    sentinel,
    to_line,
)

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline

    from mpsdoctor.rendering.fallback import Drawn, FallbackChain

Commands = queue.SimpleQueue[Configure | RenderJob]
Send = Callable[[Message], None]
"""Writes one message to the daemon, from any thread."""

_PARENT_LOOK_S = 1.0
_LONGEST_NOTE = 1000
"""Characters in a picture's record: the daemon reads no longer one (`hotfolder.spool.images`)."""


def main() -> None:
    """Serves one daemon until that is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ^C reaches the whole group: the daemon decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Diffusers prints the end of a long prompt, which could look like a message from Metal.
    os.environ["DIFFUSERS_VERBOSITY"] = "error"
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    answers = _private_stdout()
    commands = _commands(sys.stdin.buffer)
    one_at_a_time = threading.Lock()

    def send(message: Message) -> None:
        with one_at_a_time:
            answers.write(to_line(message))

    serve(commands, send)
    # Returning would abort: the thread that waits for stdin disturbs the interpreter's shutdown.
    os._exit(0)


def serve(commands: Commands, send: Send) -> None:
    """Loads the profile's pipeline, then renders job after job; returns only after `Refused`."""
    configure = commands.get()
    assert isinstance(configure, Configure)
    profile = Profile(**configure.profile)
    chain = _load(profile, send)
    if chain is None:
        return
    send(Ready(model=profile.model, device=profile.device))
    saver = ThreadPoolExecutor(max_workers=1)  # one, so that answers come in the jobs' order
    while True:
        job = commands.get()
        if isinstance(job, RenderJob):
            began = time.monotonic()
            drawn = _draw(chain, job, send)
            _write_sentinel(job)
            saver.submit(_answer, job, drawn, began, _driver_bytes(profile), send)


def _load(profile: Profile, send: Send) -> "FallbackChain | None":
    """None if it cannot be loaded; the daemon has been told why."""
    try:
        require_quiet_libraries()
    except MpsDoctorError as error:
        send(Refused(title=error.title, detail=error.detail, hint=error.hint))
        return None
    from mpsdoctor.rendering.fallback import FallbackChain
    from mpsdoctor.rendering.gpu import require_gpu, this_gpu
    from mpsdoctor.rendering.pipeline import load_pipeline

    def load(changed: Profile) -> "DiffusionPipeline":
        pipe = load_pipeline(changed, local_files_only=True)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    try:
        require_gpu(profile.device)
    except MpsDoctorError as error:
        send(Refused(title=error.title, detail=error.detail, hint=error.hint, cause="gpu"))
        return None
    try:
        return FallbackChain(profile, load, this_gpu() if profile.device == "mps" else None)
    except Exception as error:
        explained = explain(error, f"The model {profile.model} cannot be loaded")
        told, is_model = explained.error, isinstance(error, MpsDoctorError)
        cause: Literal["model", "other"] = "model" if is_model else "other"
        send(Refused(title=told.title, detail=told.detail, hint=told.hint, cause=cause))
        return None


def _draw(chain: "FallbackChain", job: RenderJob, send: Send) -> "Drawn | Explanation":
    def on_start(fallback: int) -> None:
        send(Started(job=job.job, number=job.number, fallback=fallback))

    def on_step(step: int, steps: int) -> None:
        send(Step(job=job.job, number=job.number, step=step, steps=steps))

    try:
        return chain.draw(job.request, job.fallback, on_start, on_step)
    except Exception as error:
        return explain(error, "This picture could not be rendered")


def _answer(
    job: RenderJob, drawn: "Drawn | Explanation", began: float, driver_bytes: int, send: Send
) -> None:
    """Saves the picture, if there is one, and reports the result."""
    failed = drawn if isinstance(drawn, Explanation) else _save(job, drawn)
    if failed:
        error, cause = failed.error, failed.cause
        send(
            Failed(
                job=job.job,
                number=job.number,
                title=error.title,
                detail=error.detail,
                hint=error.hint,
                cause=cause,
            )
        )
    elif not isinstance(drawn, Explanation):
        send(
            Rendered(
                job=job.job,
                number=job.number,
                output=job.output,
                seconds=time.monotonic() - began,
                notes=drawn.picture.notes,
                remedy=drawn.fallback.remedy,
                fallback=drawn.fallback.number,
                memory_bytes=driver_bytes,
            )
        )


def _save(job: RenderJob, drawn: "Drawn") -> Explanation | None:
    """Returns when the picture is on disk, or why it is not."""
    from mpsdoctor.rendering.pictures import save_png

    record = JobRecord(
        job=job.job,
        picture=job.number,
        profile=job.profile,
        remedy=drawn.fallback.remedy,
        notes=tuple(
            shorten(note, _LONGEST_NOTE) for note in (*job.request.notes, *drawn.picture.notes)
        ),
    )
    try:
        save_png(drawn.picture.image, drawn.picture.parameters, Path(job.output), record)
        sync(Path(job.output))
    except Exception as error:
        return explain_saving(error, job.output)
    return None


def _driver_bytes(profile: Profile) -> int:
    """All memory that Metal has allocated for this process."""
    if profile.device != "mps":
        return 0
    import torch

    return torch.mps.driver_allocated_memory()


def _write_sentinel(job: RenderJob) -> None:
    """On a separate line, even if the previous one is unfinished."""
    sys.stderr.flush()
    os.write(sys.stderr.fileno(), f"\n{sentinel(job.job, job.number)}\n".encode())


def _private_stdout() -> BinaryIO:
    """Stdout for messages only: what libraries print goes to stderr."""
    private = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return open(private, "wb", buffering=0)  # noqa: PTH123


def _commands(stdin: BinaryIO) -> Commands:
    commands: Commands = queue.SimpleQueue()

    def read() -> None:
        for line in stdin:
            commands.put(command_from_line(line))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return commands


def _end_with_parent(parent: int) -> None:
    """Exits with the daemon even if another process still holds stdin open."""
    while os.getppid() == parent:
        time.sleep(_PARENT_LOOK_S)
    os._exit(0)


if __name__ == "__main__":
    main()
