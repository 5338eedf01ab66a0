"""What an agent cannot be installed from, or for: each with its reason and the way out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.agent import Context
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.facts.disk.storage import place
from mpsdoctor.facts.records import Place
from mpsdoctor.service import launchctl_errors
from mpsdoctor.service.heartbeat import Heartbeat

_RUN_IT = "Run the daemon in a terminal instead: mpsdoctor watch"
_MOVE = "Make the environment somewhere else, such as ~/mpsdoctor-env, and install from there."


@dataclass(frozen=True)
class Caller:
    """Who types the command, and on what. `machine` is the Python's, `chip_is_arm` the Mac's."""

    kernel: str
    euid: int
    environ: Mapping[str, str]
    machine: str
    chip_is_arm: bool | None
    home: Path
    python: Path
    package: Path


def refuse_elsewhere(caller: Caller) -> None:
    """Raises MpsDoctorError on what is no Mac, and for root, whose login session there is none."""
    if caller.kernel != "Darwin":
        raise MpsDoctorError(
            "There is no launchd here",
            detail=f"`mpsdoctor service` is for macOS; this is {caller.kernel}.",
            hint=f"{_RUN_IT} (systemd or tmux can keep it alive)",
            exit_code=ExitCode.USAGE,
        )
    if caller.euid == 0 or "SUDO_UID" in caller.environ:
        raise MpsDoctorError(
            "The agent belongs to a user, not to root",
            detail="With sudo it would be installed for root, who never logs in at the screen, and "
            "your files would become root's.",
            hint="Type it again without sudo.",
            exit_code=ExitCode.USAGE,
        )


def refuse_session(answer: CommandResult, environ: Mapping[str, str]) -> None:
    """Raises MpsDoctorError where the user is not logged in at the screen.

    `answer` is to `launchctl print gui/UID`; over ssh the domain is not there (112, 125).
    """
    if answer.exit_code == 0:
        return
    if answer.exit_code not in (launchctl_errors.NO_DOMAIN, launchctl_errors.WRONG_DOMAIN):
        raise launchctl_errors.failure("print", answer)
    over = " You are connected over ssh." if "SSH_CONNECTION" in environ else ""
    raise MpsDoctorError(
        "There is no login session to put the agent into",
        detail="An agent gets the GPU and your folders from the session at the Mac's screen, and "
        f"this user has none.{over}",
        hint="Log in at the screen (Screen Sharing will do), then type it again; with automatic "
        "login it comes back after every start. Until then: mpsdoctor watch",
    )


def refuse_interpreter(caller: Caller) -> None:
    """Raises MpsDoctorError for a Python that launchd could not run, or only slowly."""
    if caller.machine == "x86_64" and caller.chip_is_arm:
        raise MpsDoctorError(
            "This Python runs under Rosetta",
            detail=f"{caller.python} is for Intel; it has no mps device on Apple silicon.",
            hint="Make an environment with a Python for Apple silicon: mpsdoctor explain MPS201",
        )
    for what, path in (("This Python", caller.python), ("mpsdoctor itself", caller.package)):
        where = protected_place(path, caller.home)
        if where:
            raise MpsDoctorError(
                f"{what} lies where macOS keeps background programs out",
                detail=f"{path} is in: {where.value}. Your terminal may read it, an agent may not.",
                hint=_MOVE,
            )


def refuse_rival(heartbeat: Heartbeat, job_pid: int | None, hot_folder: Path) -> None:
    """Raises MpsDoctorError where another daemon holds the hot folder: two never share one."""
    if heartbeat.pid is None or heartbeat.pid == job_pid:
        return
    raise MpsDoctorError(
        f"Another mpsdoctor watch (process {heartbeat.pid}) already watches {hot_folder}",
        detail="The agent's daemon would be refused the folder.",
        hint="End that one first, with control-C where it was started.",
    )


def refuse_hot_folder(context: Context | None, hot_folder: Path, home: Path) -> str | None:
    """What to tell where the agent's view of the hot folder is not known; None where it is good.

    `context` is what a one-shot agent saw. Raises MpsDoctorError where the agent may not use the
    folder, and where nobody knows and the folder lies in a protected place.
    """
    denied = context.folder if context else None
    where = protected_place(hot_folder, home)
    if denied:
        raise _denied(hot_folder, denied, context.program if context else "")
    if denied is not None:
        return None
    if where:
        raise MpsDoctorError(
            f"The agent may not be able to use {hot_folder}",
            detail=f"It lies in: {where.value}; and what the agent may do there cannot be found "
            "out.",
            hint="Choose another with hot_folder in the profile, such as ~/mpsdoctor.",
        )
    return "What the agent may do with the hot folder could not be found out; going on."


def protected_place(path: Path, home: Path) -> Place | None:
    """Where `path` lies or leads to, if macOS keeps background programs out of there."""
    places = (place(path, home, None), place(path.resolve(), home.resolve(), None))
    return next((where for where in places if where is not Place.ORDINARY), None)


def _denied(hot_folder: Path, denied: Mapping[str, str], program: str) -> MpsDoctorError:
    failures = ", ".join(f"{operation}: {error}" for operation, error in denied.items())
    return MpsDoctorError(
        f"The agent may not use {hot_folder}",
        detail=f"Started by launchd, mpsdoctor fails there with {failures}. Your terminal may well "
        "be allowed what it is not.",
        hint="Choose another with hot_folder in the profile, such as ~/mpsdoctor. Or add this "
        "program in System Settings > Privacy & Security > Full Disk Access, and again after each "
        f"update of Python: {program}",
    )
