"""The lines to copy that several checks share."""

import shlex

from packaging.version import Version

from mpsdoctor.checks.model import Remedy
from mpsdoctor.facts.model import Facts
from mpsdoctor.knowledge import floors, versions

# The one Python for which every PyTorch from 2.2 to 2.15 has a build.
GOOD_PYTHON = Version("3.12")


def python_line(facts: Facts, *arguments: str) -> str:
    """A shell line that runs the examined Python."""
    return shlex.join((facts.python.executable or "python3", *arguments))


def pip_line(facts: Facts, *arguments: str) -> str:
    """A shell line that installs into the environment that was examined."""
    return python_line(facts, "-m", "pip", "install", *arguments)


def install_torch(facts: Facts, *options: str) -> Remedy:
    """Install the newest PyTorch whose mps device works on this macOS and that fits this Python."""
    macos = versions.parse(facts.system.macos_version)
    python = versions.parse(facts.python.version) or GOOD_PYTHON
    if macos is None:
        return Remedy(text="Install PyTorch:", commands=(pip_line(facts, *options, "torch"),))
    newest = floors.newest_torch_for(macos, python)
    if newest is None:
        return _no_torch(facts, macos)
    return Remedy(
        text=f"{_reservation(newest, macos)}Install PyTorch {newest}, the newest known with a "
        f"build for Python {python} and an mps device on macOS {facts.system.macos_version}:",
        commands=(pip_line(facts, *options, f"torch=={newest}"),),
    )


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
