"""Explains the daemon's last exit."""

from mpsdoctor.facts.agent import Job

_CODES = {
    0: "it was told to stop",
    1: "an error; its log says which",
    2: "its command line was not valid; its log says why",
    3: "a bug in mpsdoctor; its log has the lines to report",
    78: "macOS could not start the interpreter",
    126: "the interpreter is not executable",
    127: "the interpreter does not exist",
}
_SIGNALS = {
    "6": "Metal or a library aborted",
    "9": "macOS reclaimed its memory, or it did not stop in time, or somebody killed it",
    "11": "a library crashed",
    "15": "it was told to stop while it was starting",
}


def last_exit(job: Job) -> str | None:
    """How the last process ended, and why; None if none has ended yet."""
    if job.last_signal:
        return _with(job.last_signal, _SIGNALS.get(job.last_signal.rpartition(":")[2].strip()))
    if job.last_exit_reason:
        return job.last_exit_reason
    if job.last_exit_code is None:
        return None
    return _with(f"exit code {job.last_exit_code}", _CODES.get(job.last_exit_code))


def _with(what: str, why: str | None) -> str:
    return f"{what} ({why})" if why else what
