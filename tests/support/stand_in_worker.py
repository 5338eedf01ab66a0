"""A worker without torch: `python -m tests.support.stand_in_worker`.

The first word of a prompt says what happens to it, see `compute` and `save`; by default a picture
is written at once, a tiny PNG. The profile's model can be a word of `load`. Like the real worker
it saves a picture while it computes the next one.
"""

import os
import queue
import signal
import struct
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mpsdoctor.prompts.record import PNG_KEY, JobRecord, format_record
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

STEPS: Final = 4
FOREVER: Final = 600
HEAVY_BYTES: Final = 3 << 30

FAILURES: Final = {
    "fail": Failed(job="", number=0, title="All black", detail="Every pixel is 0.", hint="Retry."),
    "full": Failed(job="", number=0, title="The disk is full", hint="Free some.", cause="disk"),
    "no-gpu": Failed(job="", number=0, title="The GPU is gone", hint="Restart.", cause="gpu"),
    "large": Failed(job="", number=0, title="Too large", hint="Smaller.", cause="memory"),
}
"""What the first word of a prompt is answered with; with `-once` behind it, the first time."""

SIGNALS: Final = {
    "crash": signal.SIGABRT,
    "kill": signal.SIGKILL,
    "bus": signal.SIGBUS,
    "term": signal.SIGTERM,
}
"""What the worker ends itself with."""

CORRUPTION: Final = "Error: command buffer exited with error status.\n"
ASSERTION: Final = (
    "MPSNDArray.mm:892: failed assertion `[MPSNDArray initWithDevice:descriptor:] Error: total "
    "bytes of NDArray > 2**32'\n"
)


def png(texts: dict[str, str]) -> bytes:
    """A whole PNG of one grey pixel, with `texts` in it."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        *((b"tEXt", f"{key}\0{text}".encode("latin-1")) for key, text in texts.items()),
        (b"IDAT", zlib.compress(b"\0\x80")),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def picture(job: str, seed: int = 0, number: int = 1, profile: str = "", remedy: str = "") -> bytes:
    """A picture as a worker writes it, with its seed in state of the tests."""
    record = JobRecord(job=job, picture=number, profile=profile, remedy=remedy)
    return png({PNG_KEY: format_record(record), "seed": str(seed)})


def say(message: Message) -> None:
    """Answers the daemon."""
    os.write(1, to_line(message))


def complain(line: str) -> None:
    """As libraries do."""
    os.write(2, line.encode())


def commands(*, deaf: threading.Event) -> Iterator[bytes]:
    """Lines from stdin; the process ends when stdin does, unless it is `deaf`."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin.buffer:
            lines.put(line)
        if not deaf.is_set():
            os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield lines.get()


def load(model: str) -> None:
    """Answers a Configure."""
    match model:
        case "refused":
            say(Refused(title="No such model", detail="No.", hint="Pull it.", cause="model"))
        case "no-gpu":
            say(Refused(title="There is no GPU", detail="No.", hint="Restart.", cause="gpu"))
        case "aborting":
            os.abort()
        case "corrupt":
            complain(CORRUPTION)
            time.sleep(FOREVER)
        case "silent":
            time.sleep(FOREVER)
        case _:
            say(Ready(model=model, device="cpu"))


def compute(job: RenderJob, word: str, pause: float, deaf: threading.Event) -> Failed | None:
    """What happens until the pixels are there."""
    start(job)
    if number := SIGNALS.get(word):
        os.kill(os.getpid(), number)
    match word:
        case "abort":
            complain(ASSERTION)
            os.abort()
        case "exit":
            os._exit(0)
        case "hang":
            time.sleep(FOREVER)
        case "deaf":
            deaf.set()
            time.sleep(FOREVER)
        case "outlive":
            deaf.set()
        case "noisy":
            os.write(1, b"a library prints this\n")
            sys.stderr.write("\r".join(f"{n}%" for n in range(100_000)))
        case "corrupt":
            complain(CORRUPTION)
        case "nan":
            denoise(job, pause)
            start(job, fallback=1)
        case _ if failed := FAILURES.get(word):
            return failed
        case _:
            pass
    denoise(job, pause, hang_after=2 if word == "hang-step" else None)
    return None


def start(job: RenderJob, fallback: int = 0) -> None:
    """Says so."""
    say(Started(job=job.job, number=job.number, fallback=fallback))


def denoise(job: RenderJob, pause: float, hang_after: int | None = None) -> None:
    """`pause` seconds a step."""
    steps = job.request.steps or STEPS
    for step in range(1, steps + 1):
        time.sleep(pause)
        say(Step(job=job.job, number=job.number, step=step, steps=steps))
        if step == hang_after:
            time.sleep(FOREVER)


def save(job: RenderJob, word: str, pause: float, failed: Failed | None, began: float) -> None:
    """Writes the picture in two halves, `pause` seconds between them, and answers."""
    if failed:
        say(
            Failed(
                job=job.job,
                number=job.number,
                title=failed.title,
                detail=failed.detail,
                hint=failed.hint,
                cause=failed.cause,
            )
        )
        return
    if word == "hang-save":
        time.sleep(FOREVER)
    remedy = "VAE in float32" if word == "nan" else ""
    data = picture(job.job, job.request.seed or 0, job.number, job.profile, remedy)
    if word == "torn":
        data = data[:-9]
    try:
        with Path(job.output).open("wb") as file:
            file.write(data[:50])
            file.flush()
            time.sleep(pause)
            file.write(data[50:])
    except OSError as error:
        say(Failed(job=job.job, number=job.number, title=str(error), cause="disk"))
        return
    say(
        Rendered(
            job=job.job,
            number=job.number,
            output=job.output,
            seconds=time.monotonic() - began,
            notes=("It was noted.",) if word == "note" else (),
            remedy=remedy,
            fallback=max(job.fallback, 1) if remedy else job.fallback,
            memory_bytes=HEAVY_BYTES if word == "heavy" else 0,
        )
    )
    if word == "corrupt-late":
        complain(CORRUPTION)


def render(job: RenderJob, deaf: threading.Event, saving: "queue.SimpleQueue[object]") -> None:
    """Computes the picture, and leaves it to the saver.

    `slow 0.1` pauses for so long; `slow-save 0.1` only while the picture is saved, and
    `outlive 0.1` saves it even when the daemon has gone meanwhile. A word that ends in `-once` is
    only heeded at the first attempt.
    """
    word, *rest = job.request.prompt.split()
    if word.endswith("-once"):
        word = word.removesuffix("-once") if Path(job.output).stem.endswith("-1") else "fine"
    pause = float(rest[0]) if word in ("slow", "slow-save", "outlive") else 0.0
    began = time.monotonic()
    failed = compute(job, word, pause if word == "slow" else 0.0, deaf)
    if word != "unmarked":
        complain(f"\n{sentinel(job.job, job.number)}\n")
    saving.put((job, word, pause, failed, began))


def main() -> None:
    """Until stdin is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    deaf = threading.Event()
    saving: queue.SimpleQueue[object] = queue.SimpleQueue()

    def save_all() -> None:
        while True:
            save(*saving.get())  # type: ignore[misc]

    threading.Thread(target=save_all, daemon=True).start()
    for line in commands(deaf=deaf):
        match command_from_line(line):
            case Configure(profile=profile):
                load(profile["model"])
            case RenderJob() as job:
                render(job, deaf, saving)


if __name__ == "__main__":
    main()
