"""The lines to copy that several checks share."""

import shlex

from packaging.version import Version

from mpsdoctor.checks.report import Remedy
from mpsdoctor.facts.records import Facts
from mpsdoctor.install_commands import install_line
from mpsdoctor.knowledge import floors, versions
from mpsdoctor.knowledge.macos import torch_limit

# The one Python for which every PyTorch from 2.2 to 2.15 has a build.
GOOD_PYTHON = Version("3.12")
_ACTIVATE = "source ~/pictures/bin/activate"
_WITH_HOMEBREW = ("brew install python@3.12", "/opt/homebrew/bin/python3.12 -m venv ~/pictures")
HOMEBREW_ENVIRONMENT = (*_WITH_HOMEBREW, _ACTIVATE)
"""Shell lines that make an environment with a Python that is good, and go into it."""


def python_line(facts: Facts, *arguments: str) -> str:
    """A shell line that runs the examined Python."""
    return shlex.join((facts.python.executable or "python3", *arguments))


def environment_lines(facts: Facts) -> tuple[str, ...]:
    """Shell lines that make an environment with the examined Python, and go into it."""
    return (_venv_line(facts), _ACTIVATE)


def is_of_xcode(facts: Facts) -> bool:
    """Whether it is Apple's: its framework is called Python3, everybody else's Python."""
    base = f"{facts.python.base_prefix or ''}/"
    return "/Python3.framework/" in base or facts.python.executable == "/usr/bin/python3"


def is_in_environment(facts: Facts) -> bool | None:
    """Whether the examined Python has packages of its own; None where that is not known."""
    python = facts.python
    if python.conda:
        return True
    if python.prefix is None or python.base_prefix is None:
        return None
    if python.prefix != python.base_prefix:
        return True
    return None if python.conda is None else False


def install(facts: Facts, what: str, *arguments: str) -> Remedy:
    """Install `what`, which `arguments` name to pip."""
    return Remedy(text=f"Install {what}{_where(facts)}:", commands=install_lines(facts, *arguments))


def install_lines(facts: Facts, *arguments: str) -> tuple[str, ...]:
    """Shell lines that install into the environment that was examined, or into a new one.

    A Python that is in none may refuse ("externally managed", PEP 668); what uv makes, tools among
    them, has no pip, and uv's own takes the same arguments.
    """
    if is_in_environment(facts) is False:
        make = _WITH_HOMEBREW if is_of_xcode(facts) else (_venv_line(facts),)
        return (*make, f"~/pictures/bin/python {shlex.join(('-m', 'pip', 'install', *arguments))}")
    python = facts.python.executable or "python3"
    return (install_line(python, *arguments, pip=facts.python.pip is not False),)


def install_torch(facts: Facts, *options: str) -> Remedy:
    """Install the newest PyTorch whose mps device works on this macOS and that fits this Python."""
    macos = versions.parse(facts.system.macos_version)
    python = _python_to_install_for(facts)
    if macos is None:
        return install(facts, "PyTorch", *options, "torch")
    newest = floors.newest_torch_for(macos, python)
    if newest is None:
        return _no_torch(facts, macos)
    return Remedy(
        text=f"{_reservation(newest, macos)}Install PyTorch {newest}{_where(facts)}, the newest "
        f"known with a build for Python {python} and an mps device on macOS "
        f"{facts.system.macos_version}{_spared(newest, macos)}:",
        commands=install_lines(facts, *options, f"torch=={newest}"),
    )


def newer_torch(facts: Facts) -> Version | None:
    """What `install_torch` installs, where that is newer than what is there."""
    torch, macos = versions.parse(facts.torch_version), versions.parse(facts.system.macos_version)
    if torch is None or macos is None:
        return None
    newest = floors.newest_torch_for(macos, _python_to_install_for(facts))
    return newest if newest is not None and newest > torch else None


def _venv_line(facts: Facts) -> str:
    return f"{python_line(facts, '-m', 'venv')} ~/pictures"


def _where(facts: Facts) -> str:
    return " in a new environment" if is_in_environment(facts) is False else ""


def _python_to_install_for(facts: Facts) -> Version:
    """That of the environment to which the lines lead."""
    if is_of_xcode(facts) and is_in_environment(facts) is False:
        return GOOD_PYTHON
    return versions.parse(facts.python.version) or GOOD_PYTHON


def _reservation(newest: Version, macos: Version) -> str:
    """What an old PyTorch, the newest that fits here, is not enough for."""
    needed = floors.load().render.torch
    if newest >= needed:
        return ""
    floor = floors.macos_floor(needed)
    newer = f"macOS {floor} or newer" if floor and macos < floor else f"Python {GOOD_PYTHON}"
    return (
        f"mpsdoctor itself renders with PyTorch {needed} or newer, which needs {newer}; code of "
        "your own can do with less. "
    )


def _spared(newest: Version, macos: Version) -> str:
    """Why it is not the very newest."""
    limit = torch_limit(macos)
    return f" that MPS104 does not warn of ({limit} and newer)" if limit and newest < limit else ""


def _no_torch(facts: Facts, macos: Version) -> Remedy:
    macos_name = f"macOS {facts.system.macos_version}"
    newest = floors.newest_torch_for(macos, GOOD_PYTHON)
    if newest is None:
        return Remedy(
            text=f"No known PyTorch has an mps device on {macos_name}; only a newer macOS helps."
        )
    return Remedy(
        text=f"No known PyTorch has both a build for Python {facts.python.version} and an mps "
        f"device on {macos_name}. {_reservation(newest, macos)}Make a new environment with Python "
        f"{GOOD_PYTHON}, for which there is PyTorch {newest}, and install mpsdoctor there."
    )
