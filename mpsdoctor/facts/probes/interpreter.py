"""A Python and its packages: this one, or another one that is asked in a child process."""

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

# Requirements of a single extra that does not matter here: most are, and parsing them is slow.
_OTHER_EXTRA = re.compile(
    r""";\s*extra\s*==\s*(["'])(?!(?:torch|render)\1)[^"']+\1\s*$""", re.IGNORECASE
)


class Interpreter(NamedTuple):
    """A Python and its packages, in the form of `Facts`."""

    python: Python
    packages: dict[str, str]
    requirements: dict[str, tuple[str, ...]]


class _Answer(Record):
    """The output of interpreter_probe.py."""

    python: Python
    packages: dict[str, str]
    requires: dict[str, tuple[str, ...]]
    markers: dict[str, str]


def this() -> Interpreter:
    """This process's Python."""
    return _interpreter(msgspec.convert(interpreter_probe.read(), _Answer))


def ask(run: Runner, executable: str, seconds: float) -> Interpreter:
    """The Python `executable`, started as its user starts it.

    It is not isolated, because its packages may be on PYTHONPATH or in the user's site folder.
    Raises MpsDoctorError if it is not Python 3.8 or newer, or does not answer within `seconds`.
    """
    result = run((executable, str(PROBE)), seconds)
    answer = child.answer(result, _Answer)
    if answer is None:
        raise MpsDoctorError(
            f"{executable} cannot be examined",
            detail=_why_not(result, executable, seconds),
            hint="Name a Python 3.8 or newer, or the folder of its environment.",
            exit_code=ExitCode.USAGE,
        )
    return _interpreter(answer)


def resolve(name: str, environ: Mapping[str, str]) -> str:
    """The absolute path of the Python `name`: a path, an environment's folder or a command on PATH.

    Symlinks are kept: a Python finds its environment through them.
    """
    path = expand(name)
    if path.is_dir():
        return str(path / "bin" / "python")
    return str(expand(shutil.which(name, path=environ.get("PATH")) or name))


def requirements(
    requires: Mapping[str, Iterable[str]], markers: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """The versions that packages require of each other, by package, in an environment of `markers`.

    `requires` holds their `Requires-Dist`; damaged ones and those without a version are skipped.
    `diffusers[torch]` has what its extra adds: only there do Diffusers and Transformers name the
    torch that they need. `mpsdoctor[render]` has what mpsdoctor needs to render.
    """
    asked: dict[str, list[str]] = {}
    for package, texts in requires.items():
        for text in filterfalse(_OTHER_EXTRA.search, texts):
            with suppress(ValueError, KeyError):  # not a requirement, or an unknown marker
                requirement = Requirement(text)
                owner = _owner(package, requirement.marker, markers)
                if owner and requirement.specifier:
                    needed = f"{canonicalize_name(requirement.name)}{requirement.specifier}"
                    asked.setdefault(owner, []).append(needed)
    return {owner: tuple(needed) for owner, needed in asked.items()}


def _owner(package: str, marker: Marker | None, markers: Mapping[str, str]) -> str | None:
    """The package or extra that has the requirement; None if it does not apply there."""
    if marker is None or marker.evaluate({**markers, "extra": ""}):
        return package
    extra = "render" if package == "mpsdoctor" else "torch"
    return f"{package}[{extra}]" if marker.evaluate({**markers, "extra": extra}) else None


def _interpreter(answer: _Answer) -> Interpreter:
    asked = requirements(answer.requires, answer.markers)
    return Interpreter(answer.python, answer.packages, asked)


def _why_not(result: CommandResult, executable: str, seconds: float) -> str:
    if result.timed_out:
        return f"It did not answer within {seconds:g} seconds."
    if os.path.islink(executable) and not os.path.exists(executable):  # noqa: PTH110, PTH114
        return f"It links to {os.path.realpath(executable)}, which does not exist."
    said = child.last_words(result)
    if not said:
        return f"It ended with exit code {result.exit_code}, without an answer."
    return "It is older than Python 3.8." if said.startswith("SyntaxError") else said
