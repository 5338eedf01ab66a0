"""What there is to know of the launchd agent that keeps the daemon alive."""

from msgspec import field

from mpsdoctor.records import Record


class Job(Record):
    """An agent as `launchctl print` shows it. `spawn_type` is `interactive`, `daemon` and so on.

    `runs` counts its starts since it was loaded. Of the last end there is a code or a signal, as in
    `Killed: 9`. `pended` says why launchd puts a start off.
    """

    state: str | None = None
    pid: int | None = None
    runs: int | None = None
    last_exit_code: int | None = None
    last_exit_reason: str | None = None
    last_signal: str | None = None
    spawn_type: str | None = None
    pended: str | None = None


class Context(Record):
    """What a process that launchd starts sees, where a terminal may see something else.

    `folder` names the operations on the hot folder that failed there, each with its errno's name;
    `program` is the file to which macOS grants access. `variables` are as in Environment.
    """

    program: str
    mps_available: bool | None = None
    folder: dict[str, str] | None = None
    variables: dict[str, str | None] = field(default_factory=dict)


class Agent(Record):
    """The launchd agent that runs `mpsdoctor watch`.

    `changes` names what `mpsdoctor service install` would change in its property list; they differ
    also by the terminal that is asked. `disabled` is whether it is switched off. `silent_seconds`
    is how long ago a daemon that runs gave its last sign of life.
    """

    installed: bool
    changes: tuple[str, ...] | None = None
    interpreter: str | None = None
    interpreter_exists: bool | None = None
    disabled: bool | None = None
    loaded: bool | None = None
    job: Job | None = None
    silent_seconds: float | None = None
    log_bytes: int | None = None
    context: Context | None = None
