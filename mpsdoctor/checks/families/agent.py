"""MPS701 to MPS710: the launchd agent, if it is installed.

An agent is optional. Without one these checks find nothing, and none of them decides whether this
Mac can render.
"""

from collections.abc import Iterator

from mpsdoctor.checks.report import Finding, NoAnswerError, Remedy, Severity, Status
from mpsdoctor.facts.agent import Agent, Context, Job
from mpsdoctor.facts.records import Facts
from mpsdoctor.units import MB, gb

_INSTALL = ("mpsdoctor service install",)
_LOGS = ("mpsdoctor service logs",)
_VARIABLE = "EnvironmentVariables."
_MANY_STARTS = 4
_LARGE_LOG_BYTES = 50 * MB
_SILENT_S = 60.0

# The daemon is offline by design, and current releases ignore the last one (MPS503).
_NOT_COMPARED = frozenset({"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "TRANSFORMERS_CACHE"})


def current(facts: Facts) -> Finding | None:
    """After an upgrade, a move or a new profile, the agent still uses the old ones."""
    changes = _agent(facts).changes
    if changes is None:
        raise NoAnswerError("the current configuration is not known", Status.NOT_RECORDED)
    if not changes:
        return None
    only_variables = all(change.startswith(_VARIABLE) for change in changes)
    return Finding(
        severity=Severity.NOTE if only_variables else Severity.WARNING,
        observed="The agent is out of date. These would change if it were installed now: "
        f"{', '.join(change.removeprefix(_VARIABLE) for change in changes)}.",
        expected="an agent with this mpsdoctor, this Python, and the settings of the profile and "
        "this terminal",
        impact="The daemon keeps the old ones until it is restarted, and may render differently "
        "from here.",
        remedy=Remedy(
            text="Update it. A picture that is being rendered is finished first:",
            commands=_INSTALL,
        ),
    )


def interpreter(facts: Facts) -> Finding | None:
    """The environment was removed or moved; launchd tries to start the daemon forever."""
    agent = _agent(facts)
    if agent.interpreter_exists is None:
        raise NoAnswerError("which Python the agent runs is not known", Status.NOT_RECORDED)
    if agent.interpreter_exists:
        return None
    return Finding(
        severity=Severity.WARNING,
        observed=f"The agent's Python no longer exists: {agent.interpreter}",
        expected="the environment that the agent was installed from, in the same place",
        impact="Nothing that you drop into the hot folder is rendered.",
        remedy=Remedy(
            text="Install the agent from the environment that you use now:", commands=_INSTALL
        ),
    )


def loaded(facts: Facts) -> Finding | None:
    """Installed, but launchd does not know it in this login session."""
    agent = _agent(facts)
    if agent.loaded is None:
        raise NoAnswerError("whether the agent is loaded is not known", Status.NOT_RECORDED)
    if agent.loaded:
        return None
    return Finding(
        severity=Severity.WARNING,
        observed="The agent is installed, but not loaded.",
        expected="a loaded agent, or no agent",
        impact="Nothing that you drop into the hot folder is rendered until the next login. If the "
        "agent is switched off, it stays that way.",
        remedy=Remedy(text="Load it:", commands=("mpsdoctor service start",)),
    )


def running(facts: Facts) -> Finding | None:
    """Loaded, but without a process, or with one that has no heartbeat."""
    job = _job(facts)
    if job.state is None:
        raise NoAnswerError("whether the daemon runs is not known", Status.NOT_RECORDED)
    silent = _agent(facts).silent_seconds or 0.0
    if job.pid is not None and silent < _SILENT_S:
        return None
    delay = f", because launchd delays its start ({job.pended})" if job.pended else ""
    state = (
        f"has had no heartbeat for {silent:.0f} seconds"
        if job.pid is not None
        else f"is not running{delay}; launchd reports its state as “{job.state}”"
    )
    return Finding(
        severity=Severity.WARNING,
        observed=f"The daemon {state}.",
        expected="a daemon that runs while you are logged in",
        impact="Nothing that you drop into the hot folder is rendered.",
        remedy=Remedy(
            text="Start a new one. In Low Power Mode, and after a cancelled logout, launchd delays "
            "every start that nobody asked for:",
            commands=("mpsdoctor service restart --now",),
        ),
    )


def spawn_type(facts: Facts) -> Finding | None:
    """Any other class is throttled, on the CPU and on the GPU.

    Background: 11 instead of 87 tokens per second on an M4 Max (dryvist/nix-ai #916). Unset: 135
    seconds instead of 0.95 for one job (MemPalace #2507).
    """
    kind = _job(facts).spawn_type
    if kind is None:
        raise NoAnswerError("the agent's spawn type is not known", Status.NOT_RECORDED)
    if kind == "interactive":
        return None
    return Finding(
        severity=Severity.WARNING,
        observed=f"launchd runs the agent as {kind}.",
        expected="interactive",
        impact="macOS keeps it on the slow cores and slows its GPU work down: pictures take up to "
        "eight times as long.",
        remedy=Remedy(text="Write the property list again, and load it:", commands=_INSTALL),
    )


def restarts(facts: Facts) -> Finding | None:
    """launchd starts a daemon that crashes again and again."""
    job = _job(facts)
    if job.runs is None:
        raise NoAnswerError("how often the daemon was started is not known", Status.NOT_RECORDED)
    if job.runs < _MANY_STARTS:
        return None
    return Finding(
        severity=Severity.WARNING,
        observed=f"launchd has started the daemon {job.runs} times since you logged in or "
        "installed it.",
        expected="one start",
        impact="It ends with an error again and again. A prompt that is interrupted three times "
        "fails.",
        remedy=Remedy(
            text="Read the end of its log, fix the cause, and restart the daemon:",
            commands=(*_LOGS, "mpsdoctor service restart"),
        ),
    )


def last_exit(facts: Facts) -> Finding | None:
    """How the previous daemon ended; SIGTERM and exit code 0 are a normal stop."""
    job = _job(facts)
    if job.state is None:
        raise NoAnswerError("how the daemon ended is not known", Status.NOT_RECORDED)
    how = _bad_end(job)
    if how is None:
        return None
    return Finding(
        severity=Severity.NOTE,
        observed=f"The previous daemon ended with {how}.",
        expected="exit code 0, a normal stop",
        impact="The picture that it was rendering is started again. It may happen again.",
        remedy=Remedy(
            text="“Killed: 9” means that macOS took its memory back, or that a stop took too long. "
            "For everything else the log gives the reason:",
            commands=_LOGS,
        ),
    )


def log_size(facts: Facts) -> Finding | None:
    """launchd only ever appends to its file (launchd.plist(5)); a restart renames a large one."""
    size = _agent(facts).log_bytes
    if size is None:
        raise NoAnswerError("the size of launchd's log is not known", Status.NOT_RECORDED)
    if size < _LARGE_LOG_BYTES:
        return None
    return Finding(
        severity=Severity.NOTE,
        observed=f"launchd's log of the daemon is {gb(size)}.",
        expected=f"less than {gb(_LARGE_LOG_BYTES)}",
        impact="It uses space. The same error is in it again and again: the daemon crashes.",
        remedy=Remedy(
            text="See which error that is. A restart renames the file:",
            commands=(*_LOGS, "mpsdoctor service restart"),
        ),
    )


def switched_off(facts: Facts) -> Finding | None:
    """Switched off in Login Items, where macOS shows it as a background item."""
    disabled = _agent(facts).disabled
    if disabled is None:
        raise NoAnswerError("whether the agent is switched off is not known", Status.NOT_RECORDED)
    if not disabled:
        return None
    return Finding(
        severity=Severity.WARNING,
        observed="The agent is switched off in System Settings, or with launchctl disable.",
        expected="an agent that is switched on, or no agent",
        impact="It does not start at login; the running daemon will not be restarted.",
        remedy=Remedy(
            text="Switch it on in System Settings > General > Login Items & Extensions, under the "
            "name of Python or of its developer. Or type the line below. To remove the agent, type "
            "mpsdoctor service uninstall.",
            commands=("mpsdoctor service start",),
        ),
    )


def same_as_here(facts: Facts) -> Finding | None:
    """A program that launchd starts has neither the terminal's variables nor its permissions."""
    context = _agent(facts).context
    if context is None:
        raise NoAnswerError("the agent's environment was not examined", Status.NOT_RECORDED)
    denied, others = list(_denied(facts, context)), list(_other_values(facts, context))
    if not denied and facts.environment is None:
        raise NoAnswerError("which variables are set here is not known", Status.NOT_RECORDED)
    if not denied and not others:
        return None
    return Finding(
        severity=Severity.WARNING if denied else Severity.NOTE,
        observed="The agent's environment differs from this terminal's: "
        f"{'; '.join(denied + others)}.",
        expected="the same GPU, hot folder and variables",
        impact="What works here may fail in the daemon, or have another result.",
        remedy=Remedy(
            text=f"For a folder, allow {context.program} in System Settings > Privacy & Security > "
            "Full Disk Access, or choose another hot folder. PYTORCH_… and MTL_… come only from "
            "the profile: put them into its `environment`. Then, and for any other variable, "
            "install the agent from the terminal that has it:",
            commands=_INSTALL,
        ),
    )


def _denied(facts: Facts, context: Context) -> Iterator[str]:
    here = facts.torch.mps_available if facts.torch else None
    if here is not False and context.mps_available is False:
        yield "it has no mps device"
    if context.folder and (facts.hot_folder is None or facts.hot_folder.folder.usable):
        failures = ", ".join(f"{name}: {error}" for name, error in context.folder.items())
        yield f"it cannot use the hot folder ({failures})"


def _other_values(facts: Facts, context: Context) -> Iterator[str]:
    """Private values are None on both sides, and not compared."""
    here = facts.environment.variables if facts.environment else {}
    for name, value in here.items():
        if value is None or name in _NOT_COMPARED:
            continue
        if context.variables.get(name) != value:
            there = context.variables.get(name)
            yield (
                f"{name} is {there}, here {value}" if there else f"{name} is not set, here {value}"
            )


def _bad_end(job: Job) -> str | None:
    if job.last_signal:
        return None if job.last_signal.endswith(": 15") else job.last_signal
    if job.last_exit_reason:
        return job.last_exit_reason
    return f"exit code {job.last_exit_code}" if job.last_exit_code else None


def _agent(facts: Facts) -> Agent:
    if facts.agent is None:
        raise NoAnswerError("the agent was not examined", Status.NOT_RECORDED)
    if not facts.agent.installed:
        raise NoAnswerError("the agent is not installed", Status.NOT_RECORDED)
    return facts.agent


def _job(facts: Facts) -> Job:
    """Without a job, only MPS703 has something to say: the agent is not loaded."""
    job = _agent(facts).job
    if job is None:
        raise NoAnswerError("the agent is not loaded", Status.NOT_RECORDED)
    return job
