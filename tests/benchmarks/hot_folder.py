"""The hot folder's speed, delay, idleness and a flood: `python -m tests.benchmarks.hot_folder`.

    speed   pictures a second beside plain Diffusers (tests/benchmarks/plain_diffusers.py)
    delay   from a finished drop to the first denoising step, with a warm worker
    idle    memory and processor time of a daemon that has nothing to do
    flood   10,000 files dropped at once, with a worker that renders nothing

`--pictures`, `--alone`, `--rounds`, `--drops`, `--seconds` and `--files` make them longer or
shorter.
`speed --model sd15 --device cuda --dtype float16 --size 512` renders with random weights of Stable
Diffusion 1.5's architecture.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import torch
from PIL import Image, ImageChops

from tests.benchmarks import random_weights
from tests.benchmarks.machine import describe
from tests.benchmarks.watching import Setting, drop, process, watching

FROM = 5
"""Pictures of a run that are out before its steady state is measured."""

PROMPT = "a red circle on a white background"
WORKER = "tests.benchmarks.observed_worker"
STAND_IN = "tests.support.stand_in_worker"
MIB = 2**20


def plain(home: Path, setting: Setting, prompts: Sequence[str]) -> list[float]:
    """Seconds from the start of the process until each picture is saved."""
    folder, images = home / "prompts", home / "images"
    for made in (folder, images):
        made.mkdir(parents=True)
    for number, prompt in enumerate(prompts):
        (folder / f"{number:04}.txt").write_text(prompt)
    command = [
        *(sys.executable, "-m", "tests.benchmarks.plain_diffusers"),
        *(setting.folder, str(folder), str(images)),
        *("--device", setting.device, "--dtype", setting.dtype),
        *("--steps", str(setting.steps), "--size", str(setting.size)),
    ]
    started = time.monotonic()
    with process(command) as (child, lines):
        saved = [lines.wait_for(".png")[0] - started for _ in prompts]
        child.wait()
    return saved


def each_alone(home: Path, setting: Setting, prompts: Sequence[str]) -> list[float]:
    """Seconds until each process with one prompt has ended, in turn."""
    ended = []
    started = time.monotonic()
    for number, prompt in enumerate(prompts):
        plain(home / str(number), setting, [prompt])
        ended.append(time.monotonic() - started)
    return ended


def hot_folder(home: Path, setting: Setting, prompts: Sequence[str]) -> list[float]:
    """Seconds from the start of the daemon, with the files dropped then, until each is out."""
    home.mkdir()
    worker = WORKER if setting.device == "cuda" else ""
    out = "Published" if worker else "/images/"
    started = time.monotonic()
    environ = {"BENCHMARK_DEVICE": setting.device}
    with watching(home, setting, worker=worker, **environ) as (_, lines, layout):
        for number, prompt in enumerate(prompts):
            drop(layout, f"{number:04}.txt", f"{prompt}\nSeed: {number}")
        return [lines.wait_for(out)[0] - started for _ in prompts]


Seen = tuple[float, float, int]
Method = Callable[[Path, Setting, Sequence[str]], list[float]]


def speed(setting: Setting, pictures: int, alone: int, rounds: int) -> None:
    """Takes the methods in turn; (a) renders a few pictures only, as each costs a whole process."""
    methods: dict[str, tuple[Method, int]] = {
        "hot folder": (hot_folder, pictures),
        "(b) one plain process": (plain, pictures),
        "(a) a plain process each": (each_alone, alone),
    }
    taken: dict[str, list[list[float]]] = {name: [] for name in methods}
    same: list[int] = []
    for turn in range(rounds):
        order = list(methods) if turn % 2 else list(reversed(methods))
        with tempfile.TemporaryDirectory() as folder:
            homes = {name: Path(folder) / str(place) for place, name in enumerate(methods)}
            for name in order:
                method, number = methods[name]
                times = method(homes[name], setting, [PROMPT] * number)
                _tell(turn, name, times)
                taken[name].append(times)
            same.append(_same(*(homes[name] for name in list(methods)[:2])))
    print(
        f"\n{Path(setting.model).name}, {setting.device}, {setting.dtype}, {setting.steps} steps, "
        f"{setting.size}×{setting.size}: {pictures} pictures a run, {rounds} rounds in turn. "
        f"Pictures of the hot folder with exactly the pixels of (b): {sum(same)} of "
        f"{pictures * rounds}.\n"
    )
    print("| | pictures a second, steady | hot folder to it | whole run, s | hot folder to it |")
    print("|---|---|---|---|---|")
    steady = {name: [_steady(times) for times in runs] for name, runs in taken.items()}
    whole = {name: [times[-1] / len(times) for times in runs] for name, runs in taken.items()}
    for name in methods:
        faster = [ours / own for ours, own in zip(steady["hot folder"], steady[name], strict=True)]
        sooner = [own / ours for ours, own in zip(whole["hot folder"], whole[name], strict=True)]
        print(
            f"| {name} | {_spread(steady[name])} | {_spread(faster)} "
            f"| {_spread([each * pictures for each in whole[name]])} | {_spread(sooner)} |"
        )


def _tell(turn: int, name: str, times: Sequence[float]) -> None:
    """As it comes, in case there is no time for all rounds."""
    told = f"{times[-1]:.1f} s, {_steady(times):.3f} pictures a second"
    print(f"round {turn + 1}, {name}: {told}", file=sys.stderr, flush=True)


def _steady(times: Sequence[float]) -> float:
    """Pictures a second after the first few; of separate processes, on the whole."""
    first = FROM if len(times) > 2 * FROM else 0
    begun = times[first - 1] if first else 0.0
    return (len(times) - first) / (times[-1] - begun)


def _same(hot: Path, plain: Path) -> int:
    """How many pictures have the same pixels under the same name."""
    images, others = hot / "hot/images", plain / "images"
    return sum(
        ImageChops.difference(Image.open(path), Image.open(others / path.name)).getbbox() is None
        for path in images.iterdir()
    )


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def delay(setting: Setting, drops: int) -> None:
    """Drops one file after the other, at moments that have nothing to do with the daemon's."""
    rows: dict[str, list[float]] = {"claimed": [], "the denoiser's first call": []}
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        calls = home / "calls"
        observed = watching(home, setting, worker=WORKER, BENCHMARK_CALLS=str(calls))
        with observed as (_, lines, layout):
            lines.wait_for("Started")
            for number in range(drops + 2):
                time.sleep(chance.uniform(0.0, 2.0))
                dropped = drop(layout, f"{number}.txt", PROMPT)
                claimed = float(lines.wait_for("Claimed")[1].split()[0])
                lines.wait_for("Published")
                called = next(at for at in map(float, calls.open()) if at > dropped)
                if number >= 2:  # the model is loaded, and has made a picture
                    rows["claimed"].append(claimed - dropped)
                    rows["the denoiser's first call"].append(called - dropped)
    print(
        f"\n| {drops} drops, seconds from the rename | median | 90 % | worst |\n|---|---|---|---|"
    )
    for name, times in rows.items():
        most = statistics.quantiles(times, n=10)[-1]
        print(f"| {name} | {statistics.median(times):.3f} | {most:.3f} | {max(times):.3f} |")


def idle(setting: Setting, seconds: float) -> None:
    """Before the first prompt, with a warm worker, and when that has ended."""
    print("\n| the daemon | RSS MiB | PSS | USS | % of a core | its worker, RSS MiB |")
    print("|---|---|---|---|---|---|")
    with (
        tempfile.TemporaryDirectory() as folder,
        watching(Path(folder), setting) as (daemon, lines, layout),
    ):
        lines.wait_for("Watching")
        _rest("before the first prompt", daemon, seconds)
        drop(layout, "a.txt", PROMPT)
        lines.wait_for("/images/")
        _rest("with a warm worker", daemon, seconds)
        for worker in daemon.children():
            worker.kill()
        _rest("its worker ended", daemon, seconds)


def _rest(title: str, daemon: psutil.Process, seconds: float) -> None:
    time.sleep(5.0)
    began, used = time.monotonic(), _processor_s(daemon)
    time.sleep(seconds)
    share = 100 * (_processor_s(daemon) - used) / (time.monotonic() - began)
    memory = daemon.memory_full_info()
    children = [child.memory_info().rss / MIB for child in daemon.children()]
    worker = f"{sum(children):.0f}" if children else "none"
    resident, own = memory.rss / MIB, memory.uss / MIB
    pss: int | None = getattr(memory, "pss", None)  # which Linux alone tells
    shared = "unknown" if pss is None else f"{pss / MIB:.1f}"
    print(
        f"| {title} | {resident:.1f} | {shared} | {own:.1f} | {share:.3f} | {worker} |", flush=True
    )


def _processor_s(daemon: psutil.Process) -> float:
    times = daemon.cpu_times()
    return float(times.user + times.system)


def flood(files: int) -> None:
    """The whole daemon; for the claims alone there is `python -m tests.benchmarks.claims`."""
    print(f"\n{files:,} files dropped at once.")
    print(
        "\n| the whole daemon | ms a file | ms of its processor time | RSS MiB |\n|---|---|---|---|"
    )
    for name, seen in _parts(list(_flooded(files)), files):
        wall, processor = (1000 * (seen[-1][i] - seen[0][i]) / (len(seen) - 1) for i in (0, 1))
        print(f"| {name} | {wall:.2f} | {processor:.2f} | {max(s[2] for s in seen) / MIB:.1f} |")


def _parts(seen: Sequence[Seen], files: int) -> Iterator[tuple[str, Sequence[Seen]]]:
    size = files // 10
    middle = files // 2 - size // 2
    yield f"first {size:,}", seen[:size]
    yield f"middle {size:,}", seen[middle : middle + size]
    yield f"last {size:,}", seen[-size:]


def _flooded(files: int) -> Iterator[Seen]:
    """After each picture: the time, the daemon's processor time, and its resident memory."""
    with (
        tempfile.TemporaryDirectory() as folder,
        watching(Path(folder), Setting(), worker=STAND_IN) as (daemon, lines, layout),
    ):
        lines.wait_for("Started")
        for number in range(files):
            drop(layout, f"{number}.txt", PROMPT)
        for _ in range(files):
            at, _ = lines.wait_for("Published")
            yield at, _processor_s(daemon), daemon.memory_info().rss


def main() -> None:
    """Prints a table, or two."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("speed", "delay", "idle", "flood"))
    parser.add_argument("--model", default=Setting.model, help="a folder, shapes, or sd15")
    parser.add_argument("--device", default=Setting.device, choices=("cpu", "cuda"))
    parser.add_argument("--dtype", default=Setting.dtype)
    parser.add_argument("--steps", type=int, default=Setting.steps)
    parser.add_argument("--size", type=int, default=Setting.size)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--alone", type=int, default=3, help="pictures of (a) in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--drops", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--files", type=int, default=10_000)
    options = parser.parse_args()
    print(describe(), flush=True)
    if options.device == "cuda":
        print(torch.cuda.get_device_name())
    with tempfile.TemporaryDirectory() as folder:
        model = options.model
        if model == "sd15":
            model = str(Path(folder) / model)
            random_weights.save(options.model, Path(model), options.dtype, options.device)
        setting = Setting(model, options.device, options.dtype, options.steps, options.size)
        if options.what == "speed":
            speed(setting, options.pictures, options.alone, options.rounds)
        elif options.what == "delay":
            delay(setting, options.drops)
        elif options.what == "idle":
            idle(setting, options.seconds)
        else:
            flood(options.files)
    print(f"\nload average: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
