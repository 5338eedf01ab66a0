"""A Python and what is installed in it: this one, or another, asked in a child process."""

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import filterfalse
from pathlib import Path
from typing import NamedTuple

import msgspec
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts import child
from mpsdoctor.facts.command import CommandResult, Runner
from mpsdoctor.facts.probes import interpreter_probe
from mpsdoctor.facts.records import Python
from mpsdoctor.paths import expand
from mpsdoctor.records import Record

PROBE = Path(interpreter_probe.__file__)

# A requirement of just one extra, and not of ours: that is most of them, and parsing is slow.
_OTHER_EXTRA = re.compile(
    r""";\s*extra\s*==\s*(["'])(?!(?:torch|render)\1)[^"']+\1\s*$""", re.IGNORECASE
)


class Interpreter(NamedTuple):
    """A Python, and what is installed in it, as `Facts` holds them."""

    python: Python
    packages: dict[str, str]
    requirements: dict[str, tuple[str, ...]]


class _Answer(Record):
    """What interpreter_probe.py says."""

    python: Python
    packages: dict[str, str]
    requires: dict[str, tuple[str, ...]]
    markers: dict[str, str]


def this() -> Interpreter:
    """The Python that runs this."""
    return _interpreter(msgspec.convert(interpreter_probe.read(), _Answer))


def ask(run: Runner, executable: str, seconds: float) -> Interpreter:
    """The Python `executable`, started as its user starts it.

    It is not isolated: what it imports may lie on PYTHONPATH or in the user's own folder.
    Raises MpsDoctorError where it is no Python from 3.8 on that answers within `seconds`.
    """
    result = run((executable, str(PROBE)), seconds)
    answer = child.answer(result, _Answer)
    if answer is None:
        raise MpsDoctorError(
            f"{executable} cannot be examined",
            detail=_why_not(result, executable, seconds),
            hint="Name a Python from 3.8 on, or the folder of its environment.",
            exit_code=ExitCode.USAGE,
        )
    return _interpreter(answer)


def resolve(name: str, environ: Mapping[str, str]) -> str:
    """The program that `name` means: its path, its environment's folder or a command on PATH.

    The path is absolute. Its links are kept: by them a Python knows its environment.
    """
    path = expand(name)
    if path.is_dir():
        return str(path / "bin" / "python")
    return str(expand(shutil.which(name, path=environ.get("PATH")) or name))


def requirements(
    requires: Mapping[str, Iterable[str]], markers: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """What packages ask of each other where `markers` hold, by package, with the versions.

    `requires` holds their `Requires-Dist`; what is damaged or names no version is left out.
    `diffusers[torch]` is what its extra adds: Diffusers and Transformers name what they need of
    torch only there, and mpsdoctor in `mpsdoctor[render]` what it renders with.
    """
    asked: dict[str, list[str]] = {}
    for package, texts in requires.items():
        for text in filterfalse(_OTHER_EXTRA.search, texts):
            with suppress(ValueError, KeyError):  # no requirement, or an unknown marker
                requirement = Requirement(text)
                owner = _owner(package, requirement.marker, markers)
                if owner and requirement.specifier:
                    needed = f"{canonicalize_name(requirement.name)}{requirement.specifier}"
                    asked.setdefault(owner, []).append(needed)
    return {owner: tuple(needed) for owner, needed in asked.items()}


def _owner(package: str, marker: Marker | None, markers: Mapping[str, str]) -> str | None:
    """Whose requirement it is, or None where it does not hold there."""
    if marker is None or marker.evaluate({**markers, "extra": ""}):
        return package
    extra = "render" if package == "mpsdoctor" else "torch"
    return f"{package}[{extra}]" if marker.evaluate({**markers, "extra": extra}) else None


def _interpreter(answer: _Answer) -> Interpreter:
    asked = requirements(answer.requires, answer.markers)
    return Interpreter(answer.python, answer.packages, asked)


def _why_not(result: CommandResult, executable: str, seconds: float) -> str:
    if result.timed_out:
        return f"It gave no answer within {seconds:g} seconds."
    if os.path.islink(executable) and not os.path.exists(executable):  # noqa: PTH110, PTH114
        return f"It links to {os.path.realpath(executable)}, which does not exist."
    said = child.last_words(result)
    if not said:
        return f"It ended with exit code {result.exit_code} and without an answer."
    return "It is older than Python 3.8." if said.startswith("SyntaxError") else said
