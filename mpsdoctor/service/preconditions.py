"""The reasons not to install an agent, each as an error with its way out."""

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
_MOVE = "Make the environment elsewhere, such as in ~/mpsdoctor-env, and install from there."


@dataclass(frozen=True)
class Caller:
    """Who runs the command, and where. `machine` is the Python's, `chip_is_arm` the Mac's."""

    kernel: str
    euid: int
    environ: Mapping[str, str]
    machine: str
    chip_is_arm: bool | None
    home: Path
    python: Path
    package: Path


def refuse_elsewhere(caller: Caller) -> None:
    """Raises MpsDoctorError if this is not a Mac, or for root, who has no login session."""
    if caller.kernel != "Darwin":
        raise MpsDoctorError(
            "There is no launchd here",
            detail=f"`mpsdoctor service` is for macOS; this is {caller.kernel}.",
            hint=f"{_RUN_IT} (systemd or tmux can keep it running)",
            exit_code=ExitCode.USAGE,
        )
    if caller.euid == 0 or "SUDO_UID" in caller.environ:
        raise MpsDoctorError(
            "The agent belongs to a user, not to root",
            detail="sudo would install it for root, who never logs in at the screen, and make root "
            "the owner of your files.",
            hint="Run the command without sudo.",
            exit_code=ExitCode.USAGE,
        )


def refuse_session(answer: CommandResult, environ: Mapping[str, str]) -> None:
    """Raises MpsDoctorError if the user is not logged in at the screen.

    `answer` is that of `launchctl print gui/UID`. Over ssh that domain may not exist (112, 125).
    """
    if answer.exit_code == 0:
        return
    if answer.exit_code not in (launchctl_errors.NO_DOMAIN, launchctl_errors.WRONG_DOMAIN):
        raise launchctl_errors.failure("print", answer)
    over = " You are connected over ssh." if "SSH_CONNECTION" in environ else ""
    raise MpsDoctorError(
        "There is no login session for the agent",
        detail="An agent can use the GPU and your folders only in a session at the Mac's screen. "
        f"This user is not logged in there.{over}",
        hint="Log in at the screen, or with Screen Sharing, then run the command again. With "
        "automatic login the agent starts after every restart. Until then: mpsdoctor watch",
    )


def refuse_interpreter(caller: Caller) -> None:
    """Raises MpsDoctorError if launchd could not run this Python, or only slowly."""
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
                f"{what} is in a place that macOS closes to background programs",
                detail=f"{path} is in: {where.value}. Your terminal may read it, an agent may not.",
                hint=_MOVE,
            )


def refuse_rival(heartbeat: Heartbeat, job_pid: int | None, hot_folder: Path) -> None:
    """Raises MpsDoctorError if another daemon has locked the hot folder: two cannot share it."""
    if heartbeat.pid is None or heartbeat.pid == job_pid:
        return
    raise MpsDoctorError(
        f"Another mpsdoctor watch (process {heartbeat.pid}) already watches {hot_folder}",
        detail="The agent's daemon cannot use the same folder.",
        hint="Stop the other one first, with control-C in its terminal.",
    )


def refuse_hot_folder(context: Context | None, hot_folder: Path, home: Path) -> str | None:
    """None if the agent may use the hot folder; a line for the user if that is unknown.

    `context` is what a one-shot agent saw. Raises MpsDoctorError if the agent may not use the
    folder. Also raises it if that is unknown and the folder is in a protected place.
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
            detail=f"It is in: {where.value}. mpsdoctor cannot find out what the agent may do "
            "there.",
            hint="Choose another with hot_folder in the profile, such as ~/mpsdoctor.",
        )
    return "Could not find out whether the agent may use the hot folder; continuing."


def protected_place(path: Path, home: Path) -> Place | None:
    """The place of `path`, or of its target, if macOS closes it to background programs."""
    places = (place(path, home, None), place(path.resolve(), home.resolve(), None))
    return next((where for where in places if where is not Place.ORDINARY), None)


def _denied(hot_folder: Path, denied: Mapping[str, str], program: str) -> MpsDoctorError:
    failures = ", ".join(f"{operation}: {error}" for operation, error in denied.items())
    return MpsDoctorError(
        f"The agent may not use {hot_folder}",
        detail=f"Started by launchd, mpsdoctor fails there with {failures}. The same may work in "
        "your terminal.",
        hint="Choose another with hot_folder in the profile, such as ~/mpsdoctor. Or add this "
        "program in System Settings > Privacy & Security > Full Disk Access, and again after each "
        f"update of Python: {program}",
    )
