"""Why the daemon ended the last time, in words."""

from mpsdoctor.facts.agent import Job

_CODES = {
    0: "it was told to stop",
    1: "it could not go on; its log says why",
    2: "it did not understand how it was started; its log says why",
    3: "a fault in mpsdoctor; its log has the lines to report",
    78: "macOS could not start the interpreter",
    126: "the interpreter may not be run",
    127: "the interpreter is not there",
}
_SIGNALS = {
    "6": "Metal or a library gave up",
    "9": "macOS took its memory back, or it did not end in time, or somebody killed it",
    "11": "a fault in a library",
    "15": "it was told to stop before it was ready for that",
}


def last_exit(job: Job) -> str | None:
    """How and why, or None where it has not ended yet."""
    if job.last_signal:
        return _with(job.last_signal, _SIGNALS.get(job.last_signal.rpartition(":")[2].strip()))
    if job.last_exit_reason:
        return job.last_exit_reason
    if job.last_exit_code is None:
        return None
    return _with(f"exit code {job.last_exit_code}", _CODES.get(job.last_exit_code))


def _with(what: str, why: str | None) -> str:
    return f"{what} ({why})" if why else what
