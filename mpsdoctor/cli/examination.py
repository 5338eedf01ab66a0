"""From a machine, this one or a recorded one, to a report."""

import difflib
import getpass
import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mpsdoctor.cli import output
from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError

if TYPE_CHECKING:
    from mpsdoctor.checks.model import Check, Report
    from mpsdoctor.facts.model import Facts
    from mpsdoctor.facts.redact import Owner
    from mpsdoctor.profile.subject import Subject


def examine_machine(
    subject: "Subject", *, model: str | None = None, quick: bool = False, ignore: Iterable[str] = ()
) -> "Report":
    """Collects this machine's facts and runs every check.

    What the profile names is looked at too: its model (or `model`) and its hot folder. `quick`
    imports no torch.
    """
    from mpsdoctor.checks.runner import examine
    from mpsdoctor.facts.collect import collect
    from mpsdoctor.paths import expand

    checks = choose_checks(quick, ignore)
    # Another model than the profile's is about to get a number format of its own.
    dtype = subject.dtype if model in (None, subject.model) else None
    with output.busy("Examining this machine …" if quick else "Asking PyTorch …"):
        facts = collect(
            ask_torch=not quick,
            environ=os.environ,
            hot_folder=expand(subject.hot_folder),
            model=model or subject.model,
            dtype=dtype,
        )
    return examine(facts, checks)


def read_facts(path: Path) -> "Facts":
    """A recorded machine. Raises MpsDoctorError where the file is none."""
    import msgspec

    from mpsdoctor.facts.model import Facts

    try:
        return msgspec.json.decode(path.read_bytes(), type=Facts)
    except (OSError, ValueError) as error:
        raise MpsDoctorError(
            f"{path} is not a recorded machine",
            detail=str(error),
            hint="`mpsdoctor check --save-facts FILE` records one.",
            exit_code=ExitCode.USAGE,
        ) from error


def choose_checks(quick: bool, ignore: Iterable[str]) -> "list[Check]":
    """Every check but those. Raises MpsDoctorError for an id that no check has."""
    from mpsdoctor.checks.registry import CHECKS

    ids = [check.id for check in CHECKS]
    ignored = set(ignore)
    for unknown in sorted(ignored - set(ids)):
        meant = difflib.get_close_matches(unknown.upper(), ids, n=1)
        raise MpsDoctorError(
            f"There is no check {unknown}",
            hint=f"Did you mean {meant[0]}?" if meant else "`mpsdoctor check -v` lists them.",
            exit_code=ExitCode.USAGE,
        )
    return [
        check for check in CHECKS if check.id not in ignored and not (quick and check.asks_torch)
    ]


def owner() -> "Owner":
    """Whose names are kept out of what is shared."""
    from mpsdoctor.facts.redact import Owner

    try:
        user, home = getpass.getuser(), str(Path.home())
    except (KeyError, OSError, RuntimeError):
        user, home = "", ""
    return Owner(home=home, user=user, host=platform.node())
