"""How a worker failed, in words and as a signature."""

import signal
from collections import deque
from types import SimpleNamespace
from typing import Final, cast

import pytest

from mpsdoctor.hotfolder.worker.failures import Ending, died, ending, hung, reported
from mpsdoctor.hotfolder.worker.process import InHand, WorkerProcess
from mpsdoctor.hotfolder.worker.timeouts import Phase, Timing
from mpsdoctor.knowledge.messages import hint, load
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.protocol import RenderJob

LESS: Final = hint("less_memory")
CHECK: Final = hint("known_faults", "smaller")
DRIVER: Final = "it crashed inside PyTorch or a graphics driver"
ENDINGS: Final = {
    signal.SIGABRT: (
        "PyTorch or Metal aborted it, which they do when a picture needs a larger block of memory "
        "than they can handle",
        hint("less_memory", "known_faults"),
    ),
    signal.SIGKILL: ("the system killed it, most often because memory ran out", LESS),
    signal.SIGSEGV: (DRIVER, CHECK),
    signal.SIGBUS: (DRIVER, CHECK),
    signal.SIGFPE: (DRIVER, CHECK),
    signal.SIGILL: (
        "it used an instruction that this processor does not have",
        "Install the PyTorch build for this processor: `mpsdoctor check` says which one.",
    ),
    signal.SIGTRAP: ("an internal check of PyTorch or Metal failed", CHECK),
    signal.SIGTERM: (
        "another program ended it; macOS does that when swap space runs out",
        f"Free space on the startup disk, which macOS uses for swap. {LESS}",
    ),
}


@pytest.mark.parametrize("number", ENDINGS)
def test_a_signal_is_explained(number: signal.Signals) -> None:
    """The signature is its name; the user reads what it means and what to change."""
    meaning, advice = ENDINGS[number]
    due = Ending(number.name, f"It ended with {number.name}: {meaning}.", advice)
    assert ending(-number) == due


@pytest.mark.parametrize(
    ("returncode", "due"),
    [
        (-signal.SIGUSR2, Ending("SIGUSR2", "SIGUSR2 ended it.", CHECK)),
        (-99, Ending("signal 99", "Signal 99 ended it.", CHECK)),
        (0, Ending("exit 0", "It exited with status 0, without an answer.", CHECK)),
        (1, Ending("exit 1", "It exited with status 1, without an answer.", CHECK)),
        (None, Ending("mute", "It stopped responding and was killed.", CHECK)),
    ],
)
def test_any_other_end_has_a_signature_too(returncode: int | None, due: Ending) -> None:
    """A status is not a signal, and a signal may have no name on this system."""
    assert ending(returncode) == due


JOB: Final = RenderJob(job="1", number=2, request=Request(prompt="a star"), output="image.png")


def worker(*lines: str) -> WorkerProcess:
    """What it printed last."""
    return cast(WorkerProcess, SimpleNamespace(last_lines=deque(lines)))


@pytest.mark.parametrize("phase", Phase)
def test_each_loss_says_when_and_what_was_printed(phase: Phase) -> None:
    """The signature of a hang has its phase; that of a crash does not."""
    held = None if phase is Phase.LOAD else InHand(Timing(JOB, 0.0, phase))
    job = held.job if held else None

    lost = died(worker("one", "two"), Ending("SIGX", "It ended.", "Do this."), held, "A report.")
    assert str(lost) == (
        f"The worker was lost {phase.value}\nIt ended. A report.\nLast output:\none\ntwo\nDo this."
    )
    assert (lost.signature, lost.job) == ("SIGX", job)
    assert died(worker(), Ending("SIGX", "It ended."), held, None).detail == "It ended."

    lost = hung(worker("one"), held)
    assert str(lost) == (
        f"The worker hung {phase.value}\n"
        "It stopped responding and was killed.\nLast output:\none\n"
        "A smaller picture is easier for this Mac. If every prompt hangs, restart the Mac: "
        "nothing else frees a GPU that hangs. `mpsdoctor check` looks for known faults."
    )
    assert (lost.signature, lost.job) == (f"hang {phase.value}", job)

    known = next(message for message in load().message if message.on_stderr)
    lost = reported(worker("one"), known, held)
    assert str(lost) == f"{known.title}\n{known.detail}\nLast output:\none\n{known.hint}"
    assert (lost.signature, lost.job) == (f"complaint: {known.name}", job)
