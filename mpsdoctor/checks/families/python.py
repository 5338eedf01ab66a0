"""MPS2xx: the Python that PyTorch runs in."""

import re

from packaging.version import Version

from mpsdoctor.checks.remedies import (
    GOOD_PYTHON,
    HOMEBREW_ENVIRONMENT,
    environment_lines,
    is_in_environment,
    is_of_xcode,
)
from mpsdoctor.checks.report import Finding, NoAnswerError, Remedy, Severity, Status
from mpsdoctor.facts.records import Facts
from mpsdoctor.knowledge import floors, versions

_ORIGIN_UNKNOWN = "the origin of this Python is not known"
# The oldest that mpsdoctor supports.
_OLDEST = Version("3.10")
# Folders that macOS keeps from programs without a grant; a shared report has "~" for the home.
_PROTECTED = re.compile(
    r"(?:/Users/[^/]+|~)/(?:Desktop|Documents|Downloads|Library/Mobile Documents|"
    r"Library/CloudStorage)/|/Volumes/"
)


def native(facts: Facts) -> Finding | None:
    """On Apple silicon Python must be arm64: an x86_64 one gets no PyTorch after 2.2.2.

    `sysctl.proc_translated` is 1 for a process under Rosetta (Apple, About the Rosetta translation
    environment); the last x86_64 wheels are those of 2.2.2 (pytorch #141864).
    """
    if not facts.is_mac or facts.hardware.apple_silicon is False:
        return None
    machine = facts.python.machine
    if machine == "arm64" and not facts.python.translated:
        return None
    if not facts.python.translated and (machine is None or facts.hardware.apple_silicon is None):
        raise NoAnswerError("the architecture of this Python is not known")
    return Finding(
        severity=Severity.ERROR,
        observed="This Python was built for Intel processors (x86_64) and runs under Rosetta, "
        "which translates it.",
        expected="an arm64 Python, which runs on Apple silicon without translation",
        impact="Everything is slower. The last PyTorch for such a Python is "
        f"{floors.load().x86_64.torch}, which is too old for the current Diffusers.",
        remedy=Remedy(
            text="Make a new environment with an arm64 Python. It can come from python.org, from "
            "Homebrew in /opt/homebrew, or from conda as below. Install PyTorch, Diffusers and "
            "mpsdoctor in it. If Terminal is set to open using Rosetta, turn that off first: "
            "Finder, Terminal, Get Info. The second line must then print arm64.",
            commands=(
                "CONDA_SUBDIR=osx-arm64 conda create --name pictures python=3.12",
                "conda run --name pictures python -c 'import platform; print(platform.machine())'",
            ),
        ),
    )


def version(facts: Facts) -> Finding | None:
    """PyTorch has builds for some Python versions only, and newer releases drop old ones."""
    python = versions.parse(facts.python.version)
    macos = versions.parse(facts.system.macos_version)
    if is_of_xcode(facts):
        return None
    if python is None or macos is None:
        unknown = "Python" if python is None else "macOS"
        raise NoAnswerError(f"the {unknown} version is not known", Status.NOT_RECORDED)
    best = floors.newest_torch_for(macos, GOOD_PYTHON)
    here = floors.newest_torch_for(macos, python)
    # An installed PyTorch that the table lacks is newer, or somebody has built it.
    if best is None or (here is None and facts.torch_version) or (here and here >= best):
        return None
    return Finding(
        severity=_how_bad(python, here),
        observed=f"Python {facts.python.version}",
        expected=f"Python {GOOD_PYTHON}, for which there is PyTorch {best}",
        impact=f"The last PyTorch for this Python on this macOS is {here}, without the fixes of "
        "later releases."
        if here
        else "No known PyTorch with an mps device on this macOS has a build for this Python.",
        remedy=Remedy(
            text="Make a new environment and install PyTorch, Diffusers and mpsdoctor in it. With "
            "Homebrew:",
            commands=HOMEBREW_ENVIRONMENT,
        ),
    )


def xcode(facts: Facts) -> Finding | None:
    """The Python of Apple's developer tools is for building programs with them, and is old."""
    if not is_of_xcode(facts):
        if facts.python.base_prefix is None:
            raise NoAnswerError(_ORIGIN_UNKNOWN, Status.NOT_RECORDED)
        return None
    name = f"Python {facts.python.version}" if facts.python.version else "This Python"
    return Finding(
        severity=Severity.WARNING,
        observed=f"{name} belongs to Xcode or its command line tools.",
        expected=f"a Python of your own, such as {GOOD_PYTHON}",
        impact="Apple has kept it at 3.9 for years. New releases of PyTorch and Diffusers no "
        "longer support that version, and updates of the tools replace this Python.",
        remedy=Remedy(
            text="Make an environment with another Python and install PyTorch, Diffusers and "
            "mpsdoctor in it. With Homebrew:",
            commands=HOMEBREW_ENVIRONMENT,
        ),
    )


def intel_origin(facts: Facts) -> Finding | None:
    """Every environment made with an Intel Homebrew or conda is an Intel one too.

    Homebrew is in /opt/homebrew on Apple silicon and in /usr/local on Intel. A migration to a new
    Mac keeps the Intel Homebrew and conda (Homebrew/homebrew-cask #207117).
    """
    machine, base_prefix = facts.python.machine, facts.python.base_prefix
    if machine is None or (machine == "x86_64" and facts.hardware.apple_silicon is None):
        raise NoAnswerError(
            "the architecture of this Python or Mac is not known", Status.NOT_RECORDED
        )
    if machine != "x86_64" or not facts.hardware.apple_silicon:
        return None
    homebrew = (base_prefix or "").startswith("/usr/local/")
    if not homebrew and not facts.python.conda:
        if base_prefix is None or facts.python.conda is None:
            raise NoAnswerError(_ORIGIN_UNKNOWN, Status.NOT_RECORDED)
        return None
    where = "Homebrew in /usr/local" if homebrew else "conda"
    return Finding(
        severity=Severity.WARNING,
        observed=f"This Python comes from a {where} that was made for Intel Macs.",
        expected="Homebrew in /opt/homebrew" if homebrew else "a conda for osx-arm64",
        impact="Every new environment made with it is an Intel one again, without a current "
        "PyTorch.",
        remedy=_arm64_homebrew() if homebrew else _arm64_conda(),
    )


def environment(facts: Facts) -> Finding | None:
    """Packages belong in a virtual environment; a conda environment counts as one."""
    if is_of_xcode(facts):  # MPS203 suggests an environment too, with another Python
        return None
    is_apart = is_in_environment(facts)
    if is_apart is None:
        raise NoAnswerError(_ORIGIN_UNKNOWN, Status.NOT_RECORDED)
    if is_apart:
        return None
    return Finding(
        severity=Severity.NOTE,
        observed=f"This Python ({facts.python.prefix}) is not in a virtual environment.",
        expected="an environment only for PyTorch and Diffusers",
        impact="Other programs that use this Python can replace PyTorch or packages that it needs. "
        "Homebrew's Python refuses to install into itself.",
        remedy=Remedy(
            text="Make one, and install PyTorch, Diffusers and mpsdoctor in it:",
            commands=environment_lines(facts),
        ),
    )


def location(facts: Facts) -> Finding | None:
    """macOS asks before a program reads Desktop, Documents, Downloads, iCloud or another volume.

    The launchd agent cannot ask anybody: Python ends with "Operation not permitted" at its own
    pyvenv.cfg (Comfy-Org/comfy-mcp #72).
    """
    paths = [path for path in (facts.python.executable, facts.python.prefix) if path is not None]
    if not paths:
        raise NoAnswerError("the folder of this Python is not known", Status.NOT_RECORDED)
    inside = next((path for path in paths if _PROTECTED.match(path)), None)
    if inside is None:
        return None
    return Finding(
        severity=Severity.WARNING,
        observed=f"This Python is in a folder that macOS protects: {inside}",
        expected="a folder elsewhere in your home folder, such as ~/pictures",
        impact="mpsdoctor works in Terminal, but not as a service: macOS does not let the agent "
        "read its own Python.",
        remedy=Remedy(
            text="An environment cannot be moved. Make a new one outside Desktop, Documents, "
            "Downloads, iCloud Drive and other volumes, and install PyTorch, Diffusers and "
            "mpsdoctor there:",
            commands=("python3.12 -m venv ~/pictures", "source ~/pictures/bin/activate"),
        ),
    )


def _how_bad(python: Version, newest: Version | None) -> Severity:
    if newest is None:
        return Severity.ERROR
    return Severity.WARNING if python < _OLDEST else Severity.NOTE


def _arm64_homebrew() -> Remedy:
    return Remedy(
        text="Install Homebrew for Apple silicon as https://brew.sh describes, in a Terminal that "
        "does not open using Rosetta. It goes to /opt/homebrew, beside the old one. Then make an "
        "environment with its Python:",
        commands=HOMEBREW_ENVIRONMENT,
    )


def _arm64_conda() -> Remedy:
    return Remedy(
        text="Install Miniforge for Apple silicon (MacOSX-arm64), or make an arm64 environment "
        "with the conda that you have:",
        commands=(
            "CONDA_SUBDIR=osx-arm64 conda create --name pictures python=3.12",
            "conda activate pictures",
            "conda config --env --set subdir osx-arm64",
        ),
    )
