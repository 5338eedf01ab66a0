"""The facts about the agent, for `mpsdoctor check`."""

import itertools
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.agent import Agent as AgentFacts
from mpsdoctor.facts.agent import Job
from mpsdoctor.facts.command import Runner
from mpsdoctor.service import context, logs, plist, pulse
from mpsdoctor.service.agent import Agent
from mpsdoctor.service.environment import snapshot
from mpsdoctor.service.launchctl import Launchctl


def examine(
    run: Runner,
    agent: Agent,
    *,
    python: str,
    version: str,
    profile_environment: Mapping[str, str],
    shell: Mapping[str, str],
    hot_folder: Callable[[bytes], Path],
    probe: bool,
) -> AgentFacts:
    """How the agent stands, and what `service install` would change; nothing is raised.

    `hot_folder` is the one of the daemon that a property list starts. `probe` asks the agent's
    context too, where an agent is loaded; that takes seconds.
    """
    content = _read(agent.plist)
    if content is None:
        return AgentFacts(installed=False)
    arguments = plist.arguments(content)
    wanted = plist.render(agent, python, arguments, snapshot(profile_environment, shell), version)
    interpreter = plist.interpreter(content)
    launchctl = Launchctl(run, agent)
    job, loaded = _job(launchctl)
    folder = hot_folder(content)
    return AgentFacts(
        installed=True,
        changes=plist.changes(content, wanted),
        interpreter=interpreter,
        interpreter_exists=Path(interpreter).exists() if interpreter else None,
        disabled=launchctl.is_disabled(),
        loaded=loaded,
        job=job,
        silent_seconds=_silent(job, folder),
        log_bytes=logs.size(agent.log),
        context=context.ask(run, agent, content, folder) if probe and loaded else None,
    )


def profile_of(agent: Agent) -> Path | None:
    """The profile that an installed agent's daemon reads, where it is not the usual one."""
    return chosen(plist.arguments(_read(agent.plist)), "--profile")


def chosen(arguments: tuple[str, ...], option: str) -> Path | None:
    """The path that `mpsdoctor watch` is given with `option`."""
    pairs = itertools.pairwise(arguments)
    return next((Path(value) for name, value in pairs if name == option), None)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _job(launchctl: Launchctl) -> tuple[Job | None, bool | None]:
    try:
        job = launchctl.job()
    except MpsDoctorError:
        return None, None
    return job, job is not None


def _silent(job: Job | None, hot_folder: Path) -> float | None:
    if job is None or job.pid is None:
        return None
    sign = pulse.read(hot_folder, time.time())
    return sign.age if sign.pid == job.pid else None
