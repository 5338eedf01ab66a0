"""From a machine, this one or a recorded one, to a report."""

import getpass
import os
import platform
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError, did_you_mean
from mpsdoctor.paths import find_profile

if TYPE_CHECKING:
    from mpsdoctor.checks.report import Check, Report
    from mpsdoctor.facts.agent import Agent as AgentFacts
    from mpsdoctor.facts.probes.interpreter import Interpreter
    from mpsdoctor.facts.records import Facts
    from mpsdoctor.facts.redact import Owner
    from mpsdoctor.profile.quick_settings import QuickSettings

_SECONDS = 30.0


def examine_machine(
    settings: "QuickSettings",
    *,
    model: str | None = None,
    python: str | None = None,
    quick: bool = False,
    device: Literal["mps", "cpu"] | None = None,
    render: bool = False,
    ignore: Iterable[str] = (),
    profile: Path | None = None,
    busy: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> "Report":
    """Collects this machine's facts and runs every check.

    This includes the profile's model (or `model`) and its hot folder. `python` names the program or
    the folder of another Python, whose environment is examined instead of this one. `quick` does
    not import torch. The profile (`profile` is the value of `--profile`) is judged with this
    environment's torch, so not with `python` or `quick`. The arithmetic is tested on `device`, by
    default on mps if there is one; with `render`, so is a picture. `busy` gets a description of the
    work, and is entered while it runs.

    Raises MpsDoctorError if that Python does not answer, or if no check has an id in `ignore`.
    """
    from msgspec.structs import replace

    from mpsdoctor.checks.runner import examine
    from mpsdoctor.facts.collect import collect

    checks = choose_checks(quick, ignore)
    # A model that is not the profile's gets its own number format later.
    dtype = settings.dtype if model in (None, settings.model) else None
    with busy("Examining this machine …" if quick else "Asking PyTorch …"):
        facts = collect(
            ask_torch=not quick,
            canaries_on=device or "mps",
            render_on=(device or "mps") if render else None,
            interpreter=_another(python) if python else None,
            environ=os.environ,
            hot_folder=Path(os.path.expanduser(settings.hot_folder)),  # noqa: PTH111 (no raise)
            model=model or settings.model,
            dtype=dtype,
            agent=None if python else partial(_agent, quick=quick),
        )
    path = find_profile(profile, os.environ)
    if path and not (quick or python):
        from mpsdoctor.doctor import profile_file

        facts = replace(facts, profile=profile_file.read(path, os.environ))
    return examine(facts, checks)


def _agent(quick: bool) -> "AgentFacts":
    """The state of the launchd agent; what it sees itself takes as long as importing PyTorch."""
    from mpsdoctor.doctor.agent_configuration import agents_hot_folder, agents_plist
    from mpsdoctor.facts.command import run
    from mpsdoctor.service.agent import Agent
    from mpsdoctor.service.examine import examine

    agent = Agent(Path(os.path.expanduser("~")), os.getuid())  # noqa: PTH111 (no raise)
    return examine(
        run,
        agent,
        wanted=partial(agents_plist, agent),
        hot_folder=agents_hot_folder,
        probe=not quick,
    )


def _another(python: str) -> "Interpreter":
    from mpsdoctor.facts.command import run
    from mpsdoctor.facts.probes import interpreter

    return interpreter.ask(run, interpreter.resolve(python, os.environ), _SECONDS)


def read_facts(path: Path) -> "Facts":
    """A recorded machine. Raises MpsDoctorError if the file cannot be read as one."""
    import msgspec

    from mpsdoctor.facts.records import Facts

    try:
        return msgspec.json.decode(path.read_bytes(), type=Facts)
    except (OSError, ValueError, RecursionError) as error:
        raise MpsDoctorError(
            f"{path} is not a recorded machine",
            detail=str(error),
            hint="`mpsdoctor check --save-facts FILE` records one.",
            exit_code=ExitCode.USAGE,
        ) from error


def choose_checks(quick: bool, ignore: Iterable[str]) -> "list[Check]":
    """Every check except those. Raises MpsDoctorError for an id that no check has."""
    from mpsdoctor.checks.registry import CHECKS

    ids = [check.id for check in CHECKS]
    ignored = set(ignore)
    for unknown in sorted(ignored - set(ids)):
        raise MpsDoctorError(
            f"There is no check {unknown}",
            hint=did_you_mean(unknown.upper(), ids, "`mpsdoctor check -v` lists them."),
            exit_code=ExitCode.USAGE,
        )
    return [
        check for check in CHECKS if check.id not in ignored and not (quick and check.asks_torch)
    ]


def owner() -> "Owner":
    """The user whose names are removed from shared reports."""
    from mpsdoctor.facts.redact import Owner

    try:
        user, home = getpass.getuser(), str(Path.home())
    except (KeyError, OSError, RuntimeError):
        user, home = "", ""
    return Owner(home=home, user=user, host=platform.node())
