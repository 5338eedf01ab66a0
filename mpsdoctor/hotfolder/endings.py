"""How a process ended, in the user's words."""

import signal

_MEANINGS = {
    signal.SIGABRT: "PyTorch or Metal gave up and aborted it, as they do when a picture needs "
    "a larger block of memory than they can handle",
    signal.SIGKILL: "the system ended it, most often because memory ran out",
    signal.SIGSEGV: "it crashed inside PyTorch or a graphics driver",
    signal.SIGBUS: "it crashed inside PyTorch or a graphics driver",
    signal.SIGILL: "it met an instruction that this processor does not have",
    signal.SIGTRAP: "PyTorch or Metal stopped it at an inner check",
    signal.SIGTERM: "another program asked it to end, as the system does when swap space runs out",
}


def describe_ending(returncode: int | None) -> str:
    """One sentence; `returncode` as `subprocess.Popen` gives it, negative for a signal."""
    if returncode is None:
        return "It stopped answering, did not end by itself, and was ended."
    if returncode >= 0:
        return f"It ended by itself with exit status {returncode}, without an answer."
    try:
        ending = signal.Signals(-returncode)
    except ValueError:
        return f"Signal {-returncode} ended it."
    meaning = _MEANINGS.get(ending)
    return f"It ended with {ending.name}: {meaning}." if meaning else f"{ending.name} ended it."
