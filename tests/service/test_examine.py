"""The facts about the agent."""

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec
import pytest

from mpsdoctor.facts.agent import Agent, Context, Job
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.lock import locked
from mpsdoctor.hotfolder.status.progress import Progress
from mpsdoctor.service import plist
from mpsdoctor.service.agent import PROBE, WATCH
from mpsdoctor.service.examine import chosen, examine
from tests.support.mac import Mac

RUNNING = Job(state="running", pid=4001, runs=1, spawn_type="interactive")


@pytest.fixture
def ask(mac: Mac) -> Callable[..., Agent]:
    """Examines the Mac; an install would set two variables."""
    variables = {"PYTORCH_ENABLE_MPS_FALLBACK": "1", "HF_HOME": "/models"}
    return partial(
        examine,
        mac.run,
        mac.agent,
        wanted=lambda arguments: mac.plist(**variables),
        hot_folder=lambda content: mac.home / "mpsdoctor",
        probe=False,
    )


def test_without_an_agent_nothing_else_is_asked(mac: Mac, ask: Callable[..., Agent]) -> None:
    """A list that cannot be read counts as none."""
    assert Agent(installed=False) == ask()
    mac.agent.plist.mkdir(parents=True)
    assert Agent(installed=False) == ask(probe=True)
    assert [] == mac.calls()


def test_the_facts_say_what_an_install_would_change(mac: Mac, ask: Callable[..., Agent]) -> None:
    """An agent of another Python, with other variables, switched off while it runs."""
    mac.load(mac.plist(HF_HOME="/elsewhere"))
    mac.change(disabled=[WATCH])
    mac.agent.stderr_log.write_text("crash\n")

    assert ask() == Agent(
        installed=True,
        changes=(
            "EnvironmentVariables.HF_HOME",
            "EnvironmentVariables.PYTORCH_ENABLE_MPS_FALLBACK",
        ),
        interpreter="/opt/env/bin/python",
        interpreter_exists=False,
        disabled=True,
        loaded=True,
        job=RUNNING,
        log_bytes=6,
    )


def test_an_agent_that_is_not_loaded_is_not_probed(mac: Mac, ask: Callable[..., Agent]) -> None:
    """Its interpreter is looked for; if launchd says nothing, the rest is unknown."""
    python = mac.home / "python"
    python.touch()
    mac.put(plist.render(mac.agent, str(python), (), {}, "1.0", b""))
    facts = Agent(
        installed=True,
        changes=(
            "ProgramArguments",
            "EnvironmentVariables.HF_HOME",
            "EnvironmentVariables.PYTORCH_ENABLE_MPS_FALLBACK",
        ),
        interpreter=str(python),
        interpreter_exists=True,
        disabled=False,
        loaded=False,
        log_bytes=0,
    )

    assert facts == ask(probe=True)
    mac.change(fail=[["print", 150, 9], ["print-disabled", 1, 9]])
    unknown = ask(probe=True)
    assert (None, None, None) == (unknown.loaded, unknown.job, unknown.disabled)
    assert [] == mac.calls()


def test_a_loaded_agent_is_probed_with_its_own_list(mac: Mac, ask: Callable[..., Agent]) -> None:
    """What the one-shot agent answers is part of the facts."""
    mac.load(mac.plist())

    def run(argv: Sequence[str], seconds: float) -> CommandResult:
        result = mac.run(argv, seconds)
        if argv[1] == "kickstart":
            command = mac.world["jobs"][PROBE]["content"]["ProgramArguments"]
            assert [str(mac.home / "mpsdoctor"), "gpu"] == command[4:]
            Path(command[3]).write_text('{"program": "/opt/python"}')
        return result

    assert (
        Context(program="/opt/python")
        == examine(
            run,
            mac.agent,
            wanted=lambda arguments: mac.plist(),
            hot_folder=lambda content: mac.home / "mpsdoctor",
            probe=True,
        ).context
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"</plist>", b""),
        (b"<string>-m</string>", b"<string>a & b</string>"),
        (b"ProgramArguments", b"Program"),
    ],
)
def test_a_damaged_list_is_not_probed(
    mac: Mac, ask: Callable[..., Agent], old: bytes, new: bytes
) -> None:
    """Cut off, not XML, or with nothing to run: what an install would repair is named."""
    mac.load(mac.plist())
    mac.agent.plist.write_bytes(mac.plist().replace(old, new))

    facts = ask(probe=True)

    assert "ProgramArguments" in (facts.changes or ())
    assert (None, None, True, None) == (
        facts.interpreter,
        facts.interpreter_exists,
        facts.loaded,
        facts.context,
    )


def test_a_daemon_that_hangs_is_known_by_its_silence(mac: Mac, ask: Callable[..., Agent]) -> None:
    """Seconds since its last heartbeat; another daemon's in the same folder is not its own."""
    mac.load(mac.plist())
    layout = Layout(mac.home / "mpsdoctor")
    layout.create()
    layout.status_file.write_bytes(msgspec.json.encode(Progress(heartbeat=time.time() - 90)))
    with locked(layout):
        assert None is ask().silent_seconds
        jobs = mac.world["jobs"]
        jobs[WATCH]["pid"] = os.getpid()
        mac.change(jobs=jobs)
        silent = ask().silent_seconds
        assert silent is not None
        assert 90.0 <= silent < 95.0
        jobs[WATCH]["pid"] = None
        mac.change(jobs=jobs)
        assert None is ask().silent_seconds


def test_the_value_after_an_option_is_what_was_chosen() -> None:
    """None if the option is not there, or comes last."""
    arguments = ("--dir", "/a", "--profile", "/b", "--quiet")

    assert Path("/a") == chosen(arguments, "--dir")
    assert Path("/b") == chosen(arguments, "--profile")
    assert None is chosen(arguments, "--quiet")
    assert None is chosen((), "--dir")
