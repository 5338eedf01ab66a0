"""Many prompts through the real daemon and the real worker, while the daemon is killed at random.

`python -m tests.support.soak FOLDER [PROMPTS KILLS SEED]` (200, 30, 1) prints what came of it, and
ends with what is not right. The model is `shapes`, on the CPU.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from mpsdoctor.hotfolder.daemon import Intervals, watch
from mpsdoctor.hotfolder.spool.images import record_in_picture
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.status.events import Event
from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.request import Request
from tests.support.crash_scenarios import waiting

PROFILE: Final = Profile(device="cpu", dtype="float32", num_inference_steps=2)
INTERVALS: Final = Intervals(settle=0.05, rescan=1.0, retry=0.5)
BOUND_S: Final = 1800.0


@dataclass
class Result:
    """What was found in the end; `wrong` is empty where all is right.

    `hit` says how many pictures lost an attempt to the kills, by how often; `loading_kills` came
    before the model was loaded, `idle_kills` when nothing was left to do.
    """

    prompts: int
    kills: int = 0
    loading_kills: int = 0
    idle_kills: int = 0
    hit: dict[str, int] = field(default_factory=dict)
    images: int = 0
    given_up: int = 0
    compared: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


def prompt(number: int) -> str:
    """Each is another one."""
    colour = ("red", "green", "blue", "yellow")[number % 4]
    shape = ("circle", "square", "triangle")[number % 3]
    return f"a {colour} {shape}, number {number}"


class _Daemon:
    def __init__(self, layout: Layout, tape: Path) -> None:
        self._tape = tape
        self._before = tape.stat().st_size if tape.exists() else 0
        with tape.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.soak", "--daemon", str(layout.root)],
                cwd=Path(__file__).parents[2],
                stdout=output,
                stderr=output,
            )

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Of this kind, so far."""
        text = self._tape.read_bytes()[self._before :].decode()
        lines = [line for line in text.splitlines() if line.startswith('{"kind"')]
        return [event for event in map(json.loads, lines) if event["kind"] == kind]

    def end(self, number: signal.Signals) -> None:
        """Sends the signal and waits."""
        self.process.send_signal(number)
        self.process.wait(30)

    def wait_until_done(self, layout: Layout) -> None:
        """Ends it when nothing is left to do."""
        deadline = time.monotonic() + BOUND_S
        while waiting(layout) or not self.events("Started"):
            assert self.process.poll() is None, self._tape.read_text()[-3000:]
            assert time.monotonic() < deadline, self._tape.read_text()[-3000:]
            time.sleep(0.05)
        self.end(signal.SIGTERM)
        assert self.process.returncode == 0


def _drop(layout: Layout, count: int) -> None:
    layout.create()
    for number in range(count):
        (layout.inbox / f"{number:03d}.txt").write_text(prompt(number))


@dataclass
class _Rates:
    """Guesses at first, then as the daemons that were killed had it; in seconds."""

    loading: float = 5.0
    picture: float = 0.2

    def learn(self, daemon: _Daemon, began: float) -> None:
        """`began` is the monotonic time of its start."""
        if loaded := daemon.events("Loaded"):
            self.loading = loaded[0]["at"] - began
        published = daemon.events("Published")
        if len(published) > 1:
            taken = published[-1]["at"] - published[0]["at"]
            self.picture = taken / (len(published) - 1)

    def window(self, prompts: int, kills: int) -> float:
        """In which a kill at any moment lets through, on average, its share of what is left."""
        return self.loading + 2 * self.picture * prompts / (kills + 1)


def _left(layout: Layout) -> int:
    """Prompts that are not done."""
    return len(list(layout.inbox.iterdir())) + len(list(layout.work.glob("*/prompt.txt")))


def soak(folder: Path, prompts: int, kills: int, chance: random.Random) -> Result:
    """All of it, and the comparison of every picture."""
    result = Result(prompts)
    layout, tape = Layout(folder / "hot"), folder / "daemon.log"
    _drop(layout, prompts)
    began = time.monotonic()
    hits: Counter[tuple[str, str]] = Counter()
    rates = _Rates()
    for number in range(kills):
        result.idle_kills += not waiting(layout)
        window = rates.window(_left(layout), kills - number)
        started = time.monotonic()
        daemon = _Daemon(layout, tape)
        time.sleep(chance.uniform(0, window))
        assert daemon.process.poll() is None, tape.read_text()[-3000:]
        daemon.end(signal.SIGKILL)
        result.kills += 1
        result.loading_kills += not daemon.events("Loaded")
        rates.learn(daemon, started)
        hits.update(_begun(layout, hits))
    _Daemon(layout, tape).wait_until_done(layout)
    result.seconds = time.monotonic() - began
    result.hit = {f"{times} times": n for times, n in sorted(Counter(hits.values()).items())}
    _judge(layout, result)
    return result


def _begun(layout: Layout, hits: "Counter[tuple[str, str]]") -> Counter[tuple[str, str]]:
    """The attempts that had begun and were not cut off by an earlier kill."""
    new: Counter[tuple[str, str]] = Counter()
    for record in layout.work.glob("*/job.json"):
        if record.with_name("prompt.txt").exists():
            job = json.loads(record.read_bytes())
            for number, attempts in job["attempts"].items():
                if number not in job["published"]:
                    new[job["id"], number] = attempts - hits[job["id"], number]
    return +new


def _judge(layout: Layout, result: Result) -> None:
    images = {path.stem: path for path in layout.images.iterdir()}
    errors = list(layout.failed.glob("*.error.txt"))
    result.images, result.given_up = len(images), len(errors)
    result.wrong += [f"{path.name}: {path.read_text()}" for path in errors]
    records = {name: record_in_picture(path) for name, path in images.items()}
    result.wrong += [f"{name} is not whole" for name, record in records.items() if not record]
    if len({record.job for record in records.values() if record}) != len(images):
        result.wrong.append("two images are of one job")
    if {f"{number:03d}" for number in range(result.prompts)} != images.keys():
        result.wrong.append(f"the images are {sorted(images)}")
    done = sorted(path.name for path in layout.done.iterdir())
    if done != [f"{number:03d}.txt" for number in range(result.prompts)]:
        result.wrong.append(f"in done/ there are {done}")
    _compare(images, result)


def _compare(images: dict[str, Path], result: Result) -> None:
    """Every picture with what its prompt and seed give in this one process."""
    from PIL import Image

    from mpsdoctor.prompts.infotext import parse_infotext
    from mpsdoctor.rendering.generate import generate
    from mpsdoctor.rendering.pipeline import load_pipeline

    pipe = load_pipeline(PROFILE)
    pipe.set_progress_bar_config(disable=True)
    seeds = set()
    for name, path in sorted(images.items()):
        with Image.open(path) as image:
            image.load()
            made = parse_infotext(image.info["parameters"])
            seeds.add(made.seed)
            if made.prompt != prompt(int(name)):
                result.wrong.append(f"{name} shows another prompt: {made.prompt}")
            request = Request(prompt=made.prompt, seed=made.seed)
            (due,) = generate(PROFILE, pipe, [request])
            if image.tobytes() != due.image.tobytes():
                result.wrong.append(f"{name} has other pixels than its prompt and seed give")
        result.compared += 1
    if len(seeds) != len(images):
        result.wrong.append("two images have one seed")


def _daemon(root: str) -> None:
    def on_event(event: Event) -> None:
        values = {"kind": type(event).__name__, "at": time.monotonic(), **asdict(event)}
        os.write(1, json.dumps(values, default=str).encode() + b"\n")

    watch(Path(root), [PROFILE], environ=os.environ, on_event=on_event, intervals=INTERVALS)


def main(folder: str, prompts: str = "200", kills: str = "30", seed: str = "1") -> None:
    """Prints the result."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    result = soak(Path(folder), int(prompts), int(kills), random.Random(int(seed)))
    for name, value in asdict(result).items():
        sys.stdout.write(f"{name:<12} {value}\n")
    if result.wrong:
        sys.exit("not all is right")


if __name__ == "__main__":
    _daemon(sys.argv[2]) if sys.argv[1] == "--daemon" else main(*sys.argv[1:])
