"""How a worker ended by itself, in the user's words; pure."""

import signal
from dataclasses import dataclass

_LESS_MEMORY = (
    "Make the picture smaller, close other programs, or let `mpsdoctor plan MODEL` say what fits: "
    '`attention = "bounded"` and `vae_tiling = true` in the profile need much less memory.'
)
_CHECK = (
    "Run `mpsdoctor check`: it knows the faults of this PyTorch on this macOS. "
    "A smaller picture often gets past them."
)

_MEANINGS = {
    signal.SIGABRT: (
        "PyTorch or Metal gave up and aborted it, as they do when a picture needs a larger block "
        "of memory than they can handle",
        f"{_LESS_MEMORY} `mpsdoctor check` knows the faults of this PyTorch on this macOS.",
    ),
    signal.SIGKILL: ("the system ended it, most often because memory ran out", _LESS_MEMORY),
    signal.SIGSEGV: ("it crashed inside PyTorch or a graphics driver", _CHECK),
    signal.SIGBUS: ("it crashed inside PyTorch or a graphics driver", _CHECK),
    signal.SIGFPE: ("it crashed inside PyTorch or a graphics driver", _CHECK),
    signal.SIGILL: (
        "it met an instruction that this processor does not have",
        "Install PyTorch for this processor: `mpsdoctor check` says which one fits.",
    ),
    signal.SIGTRAP: ("PyTorch or Metal stopped it at an inner check", _CHECK),
    signal.SIGTERM: (
        "another program asked it to end, as the system does when swap space runs out",
        f"Free space on the startup disk, where macOS swaps to. {_LESS_MEMORY}",
    ),
}


@dataclass(frozen=True)
class Ending:
    """`signature` is the same for the same crash; `detail` and `hint` are for the user."""

    signature: str
    detail: str
    hint: str = _CHECK


def ending(returncode: int | None) -> Ending:
    """`returncode` as `subprocess.Popen` gives it, negative for a signal; None is none yet."""
    if returncode is None:
        return Ending("mute", "It closed its side of the line, did not end, and was ended.")
    if returncode >= 0:
        status = f"It ended by itself with exit status {returncode}, without an answer."
        return Ending(f"exit {returncode}", status)
    try:
        number = signal.Signals(-returncode)
    except ValueError:
        return Ending(f"signal {-returncode}", f"Signal {-returncode} ended it.")
    if number not in _MEANINGS:
        return Ending(number.name, f"{number.name} ended it.")
    meaning, hint = _MEANINGS[number]
    return Ending(number.name, f"It ended with {number.name}: {meaning}.", hint)
