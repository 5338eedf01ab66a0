"""The commands that several checks suggest."""

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
"""Shell lines that make an environment with a good Python, and activate it."""


def python_line(facts: Facts, *arguments: str) -> str:
    """A shell line that runs the examined Python."""
    return shlex.join((facts.python.executable or "python3", *arguments))


def environment_lines(facts: Facts) -> tuple[str, ...]:
    """Shell lines that make an environment with the examined Python, and activate it."""
    return (_venv_line(facts), _ACTIVATE)


def is_of_xcode(facts: Facts) -> bool:
    """Whether it is Apple's: only its framework is called Python3, the others Python."""
    base = f"{facts.python.base_prefix or ''}/"
    return "/Python3.framework/" in base or facts.python.executable == "/usr/bin/python3"


def is_in_environment(facts: Facts) -> bool | None:
    """Whether the examined Python is in an environment; None if that is not known."""
    python = facts.python
    if python.conda:
        return True
    if python.prefix is None or python.base_prefix is None:
        return None
    if python.prefix != python.base_prefix:
        return True
    return None if python.conda is None else False


def install(facts: Facts, what: str, *arguments: str) -> Remedy:
    """Install `what`; `arguments` are pip's."""
    return Remedy(text=f"Install {what}{_where(facts)}:", commands=install_lines(facts, *arguments))


def install_lines(facts: Facts, *arguments: str) -> tuple[str, ...]:
    """Shell lines that install into the examined environment, or into a new one.

    A Python outside an environment may refuse ("externally managed", PEP 668). Environments and
    tools made by uv have no pip, but uv's own takes the same arguments.
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
        text=f"{_caveat(newest, macos)}Install PyTorch {newest}{_where(facts)}, the newest "
        f"known release with a build for Python {python} and an mps device on macOS "
        f"{facts.system.macos_version}{_why_not_newer(newest, macos)}:",
        commands=install_lines(facts, *options, f"torch=={newest}"),
    )


def newer_torch(facts: Facts) -> Version | None:
    """What `install_torch` installs, if that is newer than the installed PyTorch."""
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
    """The Python of the environment that the lines install into."""
    if is_of_xcode(facts) and is_in_environment(facts) is False:
        return GOOD_PYTHON
    return versions.parse(facts.python.version) or GOOD_PYTHON


def _caveat(newest: Version, macos: Version) -> str:
    """Says what mpsdoctor needs to render, if the newest PyTorch that fits here is too old."""
    needed = floors.load().render.torch
    if newest >= needed:
        return ""
    floor = floors.macos_floor(needed)
    newer = f"macOS {floor} or newer" if floor and macos < floor else f"Python {GOOD_PYTHON}"
    return (
        f"mpsdoctor itself renders with PyTorch {needed} or newer, which needs {newer}. Your own "
        "code can work with less. "
    )


def _why_not_newer(newest: Version, macos: Version) -> str:
    limit = torch_limit(macos)
    if limit is None or newest >= limit:
        return ""
    return f" (MPS104 warns about {limit} and newer)"


def _no_torch(facts: Facts, macos: Version) -> Remedy:
    macos_name = f"macOS {facts.system.macos_version}"
    newest = floors.newest_torch_for(macos, GOOD_PYTHON)
    if newest is None:
        return Remedy(
            text=f"No known PyTorch has an mps device on {macos_name}. Only a newer macOS helps."
        )
    return Remedy(
        text=f"No known PyTorch has both a build for Python {facts.python.version} and an mps "
        f"device on {macos_name}. {_caveat(newest, macos)}Make a new environment with Python "
        f"{GOOD_PYTHON}, for which there is PyTorch {newest}, and install mpsdoctor there."
    )
