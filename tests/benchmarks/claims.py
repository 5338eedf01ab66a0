"""Ten thousand files dropped at once: `python -m tests.benchmarks.claims [--files N] [--folder F]`.

Each is claimed and put away as done (no picture is rendered), on a real disk with real flushes.
Then it is timed how long a recovery takes that has to look for one job's picture among as many
images. Takes some minutes; the hot folder is made in F and removed again.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from mpsdoctor.hotfolder.inbox.inbox import Inbox
from mpsdoctor.hotfolder.spool.job import Job
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.recovery import recover
from mpsdoctor.hotfolder.spool.spool import Spool
from tests.benchmarks.machine import describe
from tests.support.jobs import claim, rendered
from tests.support.stand_in_worker import picture

SETTLE = 1.0


def mib() -> float:
    """The memory of this process."""
    return float(psutil.Process().memory_info().rss) / 2**20


def claims(spool: Spool, count: int) -> tuple[list[float], float]:
    """Seconds that each claim took, finishing not included; MiB when half were claimed."""
    inbox = Inbox(spool, settle=SETTLE, settle_empty=SETTLE, on_unmovable=lambda name, error: None)
    seconds: list[float] = []
    halfway = 0.0
    while len(seconds) < count:
        started = time.perf_counter()
        job = inbox.claim(time.monotonic())
        took = time.perf_counter() - started
        if job is None:
            time.sleep(inbox.due(time.monotonic()) or 0.0)
            continue
        seconds.append(took)
        spool.finish(job)
        if len(seconds) == count // 2:
            halfway = mib()
    return seconds, halfway


def recovery(spool: Spool, count: int) -> tuple[float, list[Job]]:
    """Seconds to find that one job's picture is not among `count` new images."""
    rendered(spool, claim(spool))
    for number in range(count):
        (spool.layout.images / f"{number}.png").write_bytes(picture(str(number)))
    started = time.perf_counter()
    jobs = recover(spool)
    return time.perf_counter() - started, jobs


def ms(seconds: Sequence[float]) -> str:
    """Median and longest."""
    return f"median {statistics.median(seconds) * 1e3:.2f} ms, longest {max(seconds) * 1e3:.1f} ms"


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        layout = Layout(Path(folder) / "hot")
        layout.create()
        spool = Spool(layout)
        before = mib()
        for number in range(arguments.files):
            (layout.inbox / f"prompt {number:05}.txt").write_text(f"a cat, number {number}")
        os.sync()
        seconds, halfway = claims(spool, arguments.files)
        print(describe())
        print(f"{arguments.files} files, claimed in {sum(seconds):.1f} s")
        print(f"the first hundred: {ms(seconds[:100])}")
        print(f"the last hundred:  {ms(seconds[-100:])}")
        print(f"memory: {before:.1f} MiB before, {halfway:.1f} halfway, {mib():.1f} after")
        took, jobs = recovery(spool, arguments.files)
        assert len(jobs) == 1
        print(f"recovery, looking through {arguments.files} images: {took:.2f} s")


if __name__ == "__main__":
    main()
