"""A worker without torch: `python -m tests.support.stand_in_worker`.

The first word of a prompt says what happens to it; see `render`. The profile's model may be
`refused`, `aborting` or `silent`. It writes tiny PNGs.
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

from mpsdoctor.prompts.record import PNG_KEY, format_record
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

STEPS = 4


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


def picture(job: str, seed: int = 0) -> bytes:
    """A picture as a worker writes it, with its seed in sight of the tests."""
    return png({PNG_KEY: format_record(job), "seed": str(seed)})


def say(message: Message) -> None:
    """Answers the daemon."""
    os.write(1, to_line(message))


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
            say(Refused(title="There is no such model", detail="Really not.", hint="Pull it."))
        case "aborting":
            os.abort()
        case "silent":
            time.sleep(600)
        case _:
            say(Ready(model=model, device="cpu"))


def render(job: RenderJob, deaf: threading.Event) -> None:
    """Does what the prompt's first word says; by default, writes a picture at once."""
    output = Path(job.output)
    word, *rest = job.prompt.split()
    first_attempt = output.stem.endswith("-1")
    match word:
        case "abort":
            os.write(2, b"MPSNDArray.mm:892: failed assertion\n")
            os.abort()
        case "abort-once" if first_attempt:
            os.abort()
        case "exit":
            os._exit(0)
        case "hang":
            time.sleep(600)
        case "deaf":
            deaf.set()
            time.sleep(600)
        case "fail":
            say(Failed(job=job.job, title="All black", detail="Every pixel is 0.", hint="Retry."))
            return
        case "torn":
            output.write_bytes(picture(job.job)[:-9])
            say(Rendered(job=job.job, output=job.output, seconds=0.0))
            return
        case "noisy":
            os.write(1, b"a library prints this\n")
            sys.stderr.write("\r".join(f"{n}%" for n in range(100_000)))
        case _:
            pass
    draw(job, pause=float(rest[0]) if word == "slow" else 0.0)


def draw(job: RenderJob, pause: float) -> None:
    """Writes the picture in two halves, `pause` seconds a step and between the halves."""
    started = time.monotonic()
    for step in range(1, STEPS + 1):
        time.sleep(pause)
        say(Step(job=job.job, step=step, steps=STEPS))
    data = picture(job.job, job.seed)
    with Path(job.output).open("wb") as file:
        file.write(data[:50])
        file.flush()
        time.sleep(pause)
        file.write(data[50:])
    say(Rendered(job=job.job, output=job.output, seconds=time.monotonic() - started))


def main() -> None:
    """Until stdin is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    deaf = threading.Event()
    for line in commands(deaf=deaf):
        match command_from_line(line):
            case Configure(profile=profile):
                load(profile.model)
            case RenderJob() as job:
                render(job, deaf)


if __name__ == "__main__":
    main()
