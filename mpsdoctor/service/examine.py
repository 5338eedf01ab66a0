"""Collects the facts about the agent for `mpsdoctor check`."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.agent import Agent as AgentFacts
from mpsdoctor.facts.agent import Job
from mpsdoctor.facts.command import Runner
from mpsdoctor.service import context, heartbeat, logs, plist
from mpsdoctor.service.agent import Agent
from mpsdoctor.service.launchctl import Launchctl


def examine(
    run: Runner,
    agent: Agent,
    *,
    wanted: Callable[[tuple[str, ...]], bytes],
    hot_folder: Callable[[bytes], Path],
    probe: bool,
) -> AgentFacts:
    """The agent's state, and what `service install` would change; raises nothing.

    `wanted` gives the property list that would be written for a daemon with these arguments.
    `hot_folder` gives the hot folder of the daemon that a property list starts. With `probe`, a
    loaded agent is also asked what it may do, which takes seconds.
    """
    content = _read(agent.plist)
    if content is None:
        return AgentFacts(installed=False)
    interpreter = plist.interpreter(content)
    launchctl = Launchctl(run, agent)
    job, loaded = _job(launchctl)
    folder = hot_folder(content)
    return AgentFacts(
        installed=True,
        changes=plist.changes(content, wanted(plist.arguments(content))),
        interpreter=interpreter,
        interpreter_exists=Path(interpreter).exists() if interpreter else None,
        disabled=launchctl.is_disabled(),
        loaded=loaded,
        job=job,
        silent_seconds=_silent(job, folder),
        log_bytes=logs.size(agent.stderr_log),
        context=context.ask(run, agent, content, folder) if probe and loaded else None,
    )


def chosen(arguments: tuple[str, ...], option: str) -> Path | None:
    """The path after `option` in the arguments of `mpsdoctor watch`."""
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
    sign = heartbeat.read(hot_folder, time.time())
    return sign.age if sign.pid == job.pid else None
