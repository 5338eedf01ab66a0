"""`mpsdoctor service`: manages the launchd agent that keeps `mpsdoctor watch` running."""

import os
import platform
import sys
import time
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.options import dir_option, profile_option
from mpsdoctor.constants import ExitCode
from mpsdoctor.facts.command import run
from mpsdoctor.paths import profile_path

if TYPE_CHECKING:
    from mpsdoctor.service.actions import Operator
    from mpsdoctor.service.agent import Agent
    from mpsdoctor.service.launchctl import Launchctl
    from mpsdoctor.service.preconditions import Caller

_now = click.option("--now", is_flag=True, help="Do not wait for the current picture.")


@click.group("service")
def command() -> None:
    """Keep the daemon running from login on (macOS only).

    A launchd agent runs `mpsdoctor watch` when you log in, restarts it if it dies, and gives it
    the GPU at full speed.
    """


@command.command()
@dir_option
@profile_option
@_now
def install(folder: Path | None, profile: Path | None, now: bool) -> None:
    """Install or update the agent, and start the daemon.

    Writes ~/Library/LaunchAgents/io.github.mpsdoctor.watch.plist. It names this Python, --dir and
    --profile, and the variables of this terminal that launchd does not have, such as HF_HOME.
    Tokens are left out. Without --dir or --profile, an installed agent keeps its own.

    Then starts the daemon and waits for its heartbeat. An old daemon finishes its picture first.

    Run this again after an upgrade, or after the environment or the profile changed.
    """
    from mpsdoctor.doctor.agent_configuration import agents_hot_folder, agents_plist
    from mpsdoctor.service import heartbeat, plist, preconditions
    from mpsdoctor.service.actions import installed
    from mpsdoctor.service.state import Goal

    caller = _caller()
    preconditions.refuse_elsewhere(caller)
    preconditions.refuse_interpreter(caller)
    launchctl = _launchctl()
    preconditions.refuse_session(launchctl.session(), os.environ)
    options = _options(folder, profile, plist.arguments(installed(launchctl)))
    _refuse_profile(options)
    wanted = agents_plist(launchctl.agent, options)
    root = agents_hot_folder(wanted)
    operator = _operator(launchctl, now)
    seen = operator.look()
    pid = seen.job.pid if seen.job else None
    preconditions.refuse_rival(heartbeat.read(root, time.time()), pid, root)
    if seen.plist == wanted and seen.is_healthy and not seen.disabled:
        output.show(f"The agent is installed and running; the daemon watches {root / 'inbox'}")
        return
    _refuse_folder(launchctl.agent, wanted, root, caller)
    with output.busy("Starting the daemon …"):
        operator.reach(Goal.INSTALL, wanted)
    output.show(f"Installed; the daemon watches {root / 'inbox'}")
    output.tell(f"Its log: {launchctl.agent.log}. To remove it: mpsdoctor service uninstall")
    if seen.plist is not None:
        _tell_what_waits(agents_hot_folder(seen.plist), root)


@command.command()
def uninstall() -> None:
    """Stop the daemon and remove the agent.

    Also removes the logs (~/Library/Logs/mpsdoctor) and the cache (~/Library/Caches/mpsdoctor).
    Keeps the hot folder with your pictures and prompts, the profile, and this Python's environment.
    """
    from mpsdoctor.paths import log_file, plans_folder, profile_file
    from mpsdoctor.service.removal import remove
    from mpsdoctor.service.state import Goal

    launchctl, operator = _ready()
    had = launchctl.agent.plist.exists()
    operator.reach(Goal.UNINSTALL)
    if had:
        output.show(f"Removed {launchctl.agent.plist}")
    for path in remove((launchctl.agent.logs, log_file().parent, plans_folder().parent)):
        output.show(f"Removed {path}")
    output.show("The agent is not installed.")
    kept = profile_file(os.environ)
    output.tell(f"Kept: your hot folder, the profile ({kept}), and {sys.prefix}")


@command.command()
def start() -> None:
    """Start the daemon, even if it is disabled in Login Items."""
    from mpsdoctor.service.state import Goal

    _, operator = _ready()
    with output.busy("Starting the daemon …"):
        operator.reach(Goal.START)
    output.show("The daemon is running.")


@command.command()
def stop() -> None:
    """Stop the daemon at once, until `start` or the next login.

    An unfinished prompt is rendered again then.
    """
    from mpsdoctor.service.state import Goal, State

    _, operator = _ready()
    stopped = operator.reach(Goal.STOP)
    at_login = {
        State.ABSENT: "No agent is installed that would start it",
        State.DISABLED: "Its agent is disabled, so it does not start at the next login",
    }
    then = at_login.get(stopped.state, "It starts again at the next login")
    output.show(f"The daemon is stopped. {then}.")


@command.command()
@_now
def restart(now: bool) -> None:
    """Start a new daemon after the old one has finished its picture."""
    _, operator = _ready(now)
    with output.busy("Restarting the daemon …"):
        operator.restart()
    output.show("The daemon is running.")


@command.command()
def status() -> ExitCode:
    """Show the state of agent, daemon and queue.

    The exit code is 0 if the daemon runs, else 1.
    """
    from mpsdoctor.cli.display.agent_status import describe
    from mpsdoctor.doctor.agent_configuration import agents_hot_folder
    from mpsdoctor.hotfolder.status.status import read_status
    from mpsdoctor.service.state import State

    launchctl, operator = _ready()
    seen = operator.look()
    root = agents_hot_folder(seen.plist)
    output.show(describe(seen, launchctl.agent, read_status(root)))
    return ExitCode.OK if seen.state is State.RUNNING else ExitCode.FINDINGS


@command.command()
@click.option("-f", "--follow", is_flag=True, help="Also show new lines, until control-C.")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="How many old lines to show.",
)
def logs(follow: bool, lines: int) -> None:
    """Show the daemon's log.

    If there is output of a crash, also says which file it is in.
    """
    from mpsdoctor.service import logs as daemon_logs
    from mpsdoctor.service import preconditions

    preconditions.refuse_elsewhere(_caller())
    agent = _launchctl().agent
    path = agent.log
    shown = daemon_logs.tail(path, lines)
    if not shown and not follow:
        output.tell(f"There is nothing in {path}")
    if daemon_logs.size(agent.stderr_log):
        output.tell(f"Output of crashes: {agent.stderr_log}")
    for line in shown:
        output.show(line)
    if follow:
        for added in daemon_logs.follow(path):
            output.show(added.rstrip("\n"))


def _ready(now: bool = False) -> "tuple[Launchctl, Operator]":
    """Raises MpsDoctorError if this is not a Mac, or if there is no login session."""
    from mpsdoctor.service import preconditions

    preconditions.refuse_elsewhere(_caller())
    launchctl = _launchctl()
    preconditions.refuse_session(launchctl.session(), os.environ)
    return launchctl, _operator(launchctl, now)


def _caller() -> "Caller":
    import mpsdoctor
    from mpsdoctor.facts import sysctl
    from mpsdoctor.service.preconditions import Caller

    kernel = platform.system()
    values = sysctl.read(run) if kernel == "Darwin" else {}
    return Caller(
        kernel=kernel,
        euid=os.geteuid(),
        environ=os.environ,
        machine=platform.machine(),
        chip_is_arm=sysctl.flag(values, "hw.optional.arm64"),
        home=Path.home(),
        python=Path(sys.executable),
        package=Path(mpsdoctor.__file__),
    )


def _launchctl() -> "Launchctl":
    from mpsdoctor.service.agent import Agent
    from mpsdoctor.service.launchctl import Launchctl

    return Launchctl(run, Agent(Path.home(), os.getuid()))


def _operator(launchctl: "Launchctl", now: bool) -> "Operator":
    from mpsdoctor.doctor.agent_configuration import agents_hot_folder
    from mpsdoctor.service import heartbeat
    from mpsdoctor.service.actions import DRAIN_S, Operator

    return Operator(
        launchctl,
        heartbeat=lambda content: heartbeat.read(agents_hot_folder(content), time.time()),
        tell=output.tell,
        drain_s=0 if now else DRAIN_S,
    )


def _options(folder: Path | None, profile: Path | None, before: tuple[str, ...]) -> tuple[str, ...]:
    """The arguments of `watch`, with absolute paths, because launchd runs it in /."""
    from mpsdoctor.paths import expand
    from mpsdoctor.service.examine import chosen

    named = {
        "--dir": folder or chosen(before, "--dir"),
        "--profile": profile or chosen(before, "--profile"),
    }
    return tuple(
        word for option, path in named.items() if path for word in (option, str(expand(path)))
    )


def _refuse_profile(options: tuple[str, ...]) -> None:
    """Raises MpsDoctorError if the profile is missing or invalid: the daemon would not start."""
    from mpsdoctor.profile.loading import load
    from mpsdoctor.profile.settings import Profile
    from mpsdoctor.service.examine import chosen

    load(Profile, profile_path(chosen(options, "--profile"), os.environ), os.environ)


def _refuse_folder(agent: "Agent", wanted: bytes, root: Path, caller: "Caller") -> None:
    from mpsdoctor.service import context, preconditions

    with output.busy("Asking what the agent may do …"):
        seen = context.ask(run, agent, wanted, root, ask_gpu=False, seconds=30.0)
    unsure = preconditions.refuse_hot_folder(seen, root, caller.home)
    if unsure:
        output.tell(unsure)


def _tell_what_waits(old: Path, new: Path) -> None:
    """Says if prompts are left in the old hot folder, which no daemon watches any more."""
    from mpsdoctor.hotfolder.status.status import read_status

    left = read_status(old)
    if old != new and (count := left.inbox + left.work):
        output.tell(f"Prompts left in {old}: {count}. To render them:")
        output.tell(f"  mpsdoctor watch --dir {quote(str(old))}")
