"""The status as text, and as it looks on a terminal."""

from io import StringIO

from msgspec.structs import replace
from rich.console import Console

from mpsdoctor.cli.display.format import duration
from mpsdoctor.cli.display.status_page import lines, table
from mpsdoctor.hotfolder.pause import Pause
from mpsdoctor.hotfolder.status.progress import Current, Result, Worker
from mpsdoctor.hotfolder.status.status import Status

BUSY = Status(
    root="/hot", running=True, pid=7, heartbeat=1000.0, stopping=False, paused=None,
    inbox=12, work=2, done=34, failed=1, images=50,
    current=Current(
        job="1", name="heart.txt", number=2, pictures=3, attempt=2, step=12, steps=30,
        remaining_s=25.4,
    ),
    remaining_s=415.0, loading=None,
    worker=Worker(model="shapes", device="mps", pid=8, memory_bytes=3 * 2**30 + 2**28),
    results=(
        Result(name="bad.txt", at=900.0, error="It holds no prompt",
               error_file="/hot/failed/bad.error.txt"),
        Result(name="star.txt", at=990.0, image="/hot/images/star-2.png", seconds=3.21,
               notes=("FLUX keeps its own sampler",), remedy="VAE in float32"),
    ),
)  # fmt: skip
PAGE = """\
hot folder  /hot
daemon      running, process 7
worker      shapes on mps, 3.2 GiB, process 8
rendering   heart.txt, picture 2 of 3, attempt 2, step 12 of 30, 25 s left
waiting     12, about 7 min until all is done
in work     2
done        34, 50 pictures
failed      1
last        star.txt: star-2.png (3.2 s, with VAE in float32)
              FLUX keeps its own sampler
            bad.txt: It holds no prompt; see /hot/failed/bad.error.txt
"""
HOT = Pause(kind="heat", title="This Mac is too hot", hint="Free its vents.")


def page(status: Status, now: float = 1001.0) -> str:
    return "".join(f"{line}\n" for line in lines(status, now))


def test_the_page_to_the_letter() -> None:
    """A busy daemon, newest result first."""
    assert PAGE == page(BUSY)


def test_what_is_the_matter_is_said() -> None:
    """Not running, silent, stopping, loading, without a worker, and why it is paused."""
    assert "daemon      not running\n" in page(replace(BUSY, running=False))
    assert "process 7; it has said nothing for 3 min\n" in page(BUSY, now=1200.0)
    assert PAGE == page(BUSY, now=1060.0)
    assert "process 7; it has said nothing for 61 s\n" in page(BUSY, now=1061.0)
    assert "process 7, stopping\n" in page(replace(BUSY, stopping=True))
    assert "worker      loading shapes\n" in page(replace(BUSY, loading="shapes"))
    assert "worker      none; the next prompt starts one\n" in page(replace(BUSY, worker=None))
    lone = replace(BUSY, worker=Worker(model="m", device="cpu"), remaining_s=None)
    assert "worker      m on cpu\n" in page(lone)
    assert "waiting     12\n" in page(lone)
    first = replace(BUSY, current=Current(job="1", name="a.txt"))
    assert "rendering   a.txt\n" in page(first)
    done = replace(BUSY, results=(Result(name="a.txt", at=1.0, error="no"),))
    assert "last        a.txt: no\n" in page(done)
    quick = replace(BUSY, results=(Result(name="a.txt", at=1.0, image="/hot/images/a.png"),))
    assert "last        a.txt: a.png\n" in page(quick)
    assert "paused      This Mac is too hot. Free its vents.\n" in page(replace(BUSY, paused=HOT))


def test_a_name_stays_on_its_line() -> None:
    """Whatever a file is called, the page keeps its shape and the terminal its colours."""
    odd = replace(BUSY, results=(Result(name="a\n\x1b[31m.txt", at=1.0, error="no\nprompt"),))
    assert all(line.isprintable() for line in lines(odd, 1001.0))


def test_a_terminal_gets_the_same_with_a_bar() -> None:
    """12 of 30 steps are 12 of 30 columns."""
    console = Console(file=StringIO(), width=100, color_system=None, force_terminal=True)
    console.print(table(BUSY, 1001.0))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "━" * 12 + " " in shown
    assert "━" * 13 not in shown
    without_bar = [line.rstrip() for line in shown.splitlines() if "━" not in line]
    assert PAGE.splitlines() == without_bar


def test_times_are_rounded() -> None:
    """As one would say them."""
    assert ["0 s", "89 s", "2 min", "59 min", "1 h 0 min", "25 h 1 min"] == [
        duration(seconds) for seconds in (0.2, 89.4, 90, 3540, 3599, 25 * 3600 + 60)
    ]
