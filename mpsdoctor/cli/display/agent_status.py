"""The agent's state on one screen."""

import time
from collections.abc import Iterator

import psutil

from mpsdoctor.cli.display.format import printable
from mpsdoctor.cli.display.status_page import queue
from mpsdoctor.hotfolder.status.status import Status
from mpsdoctor.service import exit_reasons, plist
from mpsdoctor.service.agent import Agent
from mpsdoctor.service.state import Seen, State

_NEXT = {
    State.ABSENT: "mpsdoctor service install",
    State.DISABLED: "mpsdoctor service start",
    State.INSTALLED: "mpsdoctor service start",
    State.LOADED: "mpsdoctor service start",
    State.UNHEALTHY: "mpsdoctor service logs, then mpsdoctor service restart",
}


def describe(seen: Seen, agent: Agent, status: Status) -> str:
    """State, start time, restarts, last exit, queue, and all paths, one per line."""
    rows = (*_agent(seen), ("hot folder", status.root), *queue(status), *_places(seen, agent))
    width = max(len(name) for name, _ in rows) + 2
    return "\n".join(f"{name:<{width}}{printable(value)}" for name, value in rows)


def _agent(seen: Seen) -> Iterator[tuple[str, str]]:
    yield "agent", seen.state.value
    if next_command := _NEXT.get(seen.state):
        yield "next", next_command
    job = seen.job
    if job is None:
        return
    if job.pid is not None:
        yield "process", f"{job.pid}{_since(job.pid)}"
    if job.runs is not None:
        yield "restarts", str(max(0, job.runs - 1))
    yield "last exit", exit_reasons.last_exit(job) or "none"
    if job.pended:
        yield "delayed", f"{job.pended} (launchd waits, as in Low Power Mode)"


def _places(seen: Seen, agent: Agent) -> Iterator[tuple[str, str]]:
    yield "log", str(agent.log)
    if seen.plist is not None:
        yield "property list", str(agent.plist)
        yield "Python", plist.interpreter(seen.plist) or "not understood"


def _since(pid: int) -> str:
    try:
        started = psutil.Process(pid).create_time()
    except psutil.Error:
        return ""
    return f", since {time.strftime('%Y-%m-%d %H:%M', time.localtime(started))}"
