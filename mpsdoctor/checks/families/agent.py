"""MPS701 to MPS710: the launchd agent, where one is installed.

To use the daemon by hand, or not at all, is as good: without an agent none of these has anything to
say, and none of them decides whether this Mac can render.
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

# The daemon is offline by design, and nobody reads the last one any more (MPS503).
_NOT_COMPARED = frozenset({"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "TRANSFORMERS_CACHE"})


def current(facts: Facts) -> Finding | None:
    """After an upgrade, a move or another profile, the agent runs with what was before."""
    changes = _agent(facts).changes
    if changes is None:
        raise NoAnswerError("what would be installed is not known", Status.NOT_RECORDED)
    if not changes:
        return None
    only_variables = all(change.startswith(_VARIABLE) for change in changes)
    return Finding(
        severity=Severity.NOTE if only_variables else Severity.WARNING,
        observed="The agent is not as it would be installed now: "
        f"{', '.join(change.removeprefix(_VARIABLE) for change in changes)}.",
        expected="an agent with this mpsdoctor, this Python, and the settings of the profile and "
        "of this terminal",
        impact="A daemon that was started before goes on with the old ones, and may render "
        "otherwise than you do here.",
        remedy=Remedy(
            text="Bring it up to date; a picture that is being rendered is finished first:",
            commands=_INSTALL,
        ),
    )


def interpreter(facts: Facts) -> Finding | None:
    """A removed or moved environment; launchd tries to start it for ever."""
    agent = _agent(facts)
    if agent.interpreter_exists is None:
        raise NoAnswerError("which Python the agent runs is not known", Status.NOT_RECORDED)
    if agent.interpreter_exists:
        return None
    return Finding(
        severity=Severity.WARNING,
        observed=f"The agent's Python is gone: {agent.interpreter}",
        expected="an environment that is still where it was when the agent was installed",
        impact="Nothing that you drop into the hot folder is rendered.",
        remedy=Remedy(text="Install it from the environment that you use now:", commands=_INSTALL),
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
        observed="The agent is installed, and not loaded.",
        expected="a loaded agent, or none",
        impact="Nothing that you drop into the hot folder is rendered until the next login, or "
        "never, where it is switched off.",
        remedy=Remedy(text="Load it:", commands=("mpsdoctor service start",)),
    )


def running(facts: Facts) -> Finding | None:
    """Loaded, but without a process, or with one that gives no sign of life."""
    job = _job(facts)
    if job.state is None:
        raise NoAnswerError("whether the daemon runs is not known", Status.NOT_RECORDED)
    silent = _agent(facts).silent_seconds or 0.0
    if job.pid is not None and silent < _SILENT_S:
        return None
    put_off = f", as launchd puts its start off ({job.pended})" if job.pended else ""
    state = (
        f"has given no sign of life for {silent:.0f} seconds"
        if job.pid is not None
        else f"does not run{put_off}; launchd calls its state {job.state}"
    )
    return Finding(
        severity=Severity.WARNING,
        observed=f"The daemon {state}.",
        expected="a daemon that runs as long as you are logged in",
        impact="Nothing that you drop into the hot folder is rendered.",
        remedy=Remedy(
            text="Start a new one. launchd puts a start off in Low Power Mode, and after a logout "
            "that was cancelled:",
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
        raise NoAnswerError("how the scheduler treats the agent is not known", Status.NOT_RECORDED)
    if kind == "interactive":
        return None
    return Finding(
        severity=Severity.WARNING,
        observed=f"launchd runs the agent as {kind}.",
        expected="interactive",
        impact="macOS keeps it to slow cores and slows the GPU down: pictures take up to eight "
        "times as long.",
        remedy=Remedy(text="Put the property list right, and load it anew:", commands=_INSTALL),
    )


def restarts(facts: Facts) -> Finding | None:
    """A daemon that dies is started again, and again."""
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
        impact="It dies again and again; a prompt that is cut off three times is given up.",
        remedy=Remedy(
            text="See what its log says at the end, mend that, and restart it:",
            commands=(*_LOGS, "mpsdoctor service restart"),
        ),
    )


def last_exit(facts: Facts) -> Finding | None:
    """How the daemon before the present one ended; SIGTERM and 0 are how one is stopped."""
    job = _job(facts)
    if job.state is None:
        raise NoAnswerError("how the daemon ended is not known", Status.NOT_RECORDED)
    how = _bad_end(job)
    if how is None:
        return None
    return Finding(
        severity=Severity.NOTE,
        observed=f"The last time the daemon ended with {how}.",
        expected="exit code 0, which is how it is stopped",
        impact="The picture that it was rendering is begun anew. It may happen again.",
        remedy=Remedy(
            text="Killed: 9 is macOS taking its memory back, or a stop that took too long; of "
            "everything else the log tells the reason:",
            commands=_LOGS,
        ),
    )


def log_size(facts: Facts) -> Finding | None:
    """launchd only ever adds to its file (launchd.plist(5)); a restart sets a large one aside."""
    size = _agent(facts).log_bytes
    if size is None:
        raise NoAnswerError("how large the log is is not known", Status.NOT_RECORDED)
    if size < _LARGE_LOG_BYTES:
        return None
    return Finding(
        severity=Severity.NOTE,
        observed=f"What the daemon printed to launchd takes {gb(size)}.",
        expected=f"less than {gb(_LARGE_LOG_BYTES)}",
        impact="It takes space, and the same error is in it again and again: the daemon crashes.",
        remedy=Remedy(
            text="See which error that is; a restart sets the file aside:",
            commands=(*_LOGS, "mpsdoctor service restart"),
        ),
    )


def switched_off(facts: Facts) -> Finding | None:
    """By its switch in Login Items, which macOS shows as a background item."""
    disabled = _agent(facts).disabled
    if disabled is None:
        raise NoAnswerError("whether the agent is switched off is not known", Status.NOT_RECORDED)
    if not disabled:
        return None
    return Finding(
        severity=Severity.WARNING,
        observed="The agent is switched off in System Settings, or by launchctl disable.",
        expected="an agent that is switched on, or none",
        impact="It does not start at login; a daemon that runs now is the last one.",
        remedy=Remedy(
            text="Switch it on in System Settings > General > Login Items & Extensions, where it "
            "stands under the name of Python or of its developer, or by this; to be rid of it, "
            "mpsdoctor service uninstall.",
            commands=("mpsdoctor service start",),
        ),
    )


def same_as_here(facts: Facts) -> Finding | None:
    """What launchd starts lacks the terminal's variables, and its permissions."""
    context = _agent(facts).context
    if context is None:
        raise NoAnswerError("what the agent sees was not asked", Status.NOT_RECORDED)
    denied, others = list(_denied(facts, context)), list(_other_values(facts, context))
    if not denied and facts.environment is None:
        raise NoAnswerError("which variables are set here is not known", Status.NOT_RECORDED)
    if not denied and not others:
        return None
    return Finding(
        severity=Severity.WARNING if denied else Severity.NOTE,
        observed=f"The agent sees less or other than this terminal: {'; '.join(denied + others)}.",
        expected="the same GPU, hot folder and variables",
        impact="What works here may fail in the daemon, or come out otherwise.",
        remedy=Remedy(
            text=f"For a folder, allow {context.program} in System Settings > Privacy & Security > "
            "Full Disk Access, or choose another hot folder. PYTORCH_… and MTL_… come from the "
            "profile alone: put them into its `environment`. Then, and for any other variable, "
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
        yield f"it may not use the hot folder ({failures})"


def _other_values(facts: Facts, context: Context) -> Iterator[str]:
    """Values that are nobody's business are None on both sides, and not compared."""
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
        raise NoAnswerError("nobody looked for the agent", Status.NOT_RECORDED)
    if not facts.agent.installed:
        raise NoAnswerError("the agent is not installed", Status.NOT_RECORDED)
    return facts.agent


def _job(facts: Facts) -> Job:
    """Without one there is nothing to be said but that it is not loaded."""
    job = _agent(facts).job
    if job is None:
        raise NoAnswerError("the agent is not loaded", Status.NOT_RECORDED)
    return job
