"""The facts about the launchd agent that keeps the daemon running."""

from msgspec import field

from mpsdoctor.records import Record


class Job(Record):
    """An agent as `launchctl print` shows it. `spawn_type` is `interactive`, `daemon` and so on.

    `runs` counts its starts since it was loaded. The last run ended with a code or with a signal,
    such as `Killed: 9`. `pended` says why launchd delays a start.
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
    """What a process started by launchd sees; a terminal may see something else.

    `folder` maps each operation on the hot folder that failed there to the name of its errno.
    `program` is the file to which macOS grants access. `variables` are as in Environment.
    """

    program: str
    mps_available: bool | None = None
    folder: dict[str, str] | None = None
    variables: dict[str, str | None] = field(default_factory=dict)


class Agent(Record):
    """The launchd agent that runs `mpsdoctor watch`.

    `changes` names what `mpsdoctor service install` would change in its property list; it can also
    depend on the terminal. `disabled` says whether the agent is switched off. `silent_seconds` is
    the age of a running daemon's last heartbeat.
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
