"""MPS2xx: the Python that PyTorch runs in."""

from mpsdoctor.checks.model import Finding, NoAnswerError, Remedy, Severity
from mpsdoctor.facts.model import Facts
from mpsdoctor.knowledge import floors


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
        raise NoAnswerError("what this Python was built for is not known")
    return Finding(
        severity=Severity.ERROR,
        observed="This Python was built for Intel processors (x86_64) and runs under Rosetta, "
        "which translates it.",
        expected="an arm64 Python, which runs on Apple silicon as it is",
        impact="Everything is slower, and PyTorch for such a Python ends with "
        f"{floors.load().x86_64.torch}, which is too old for the current Diffusers.",
        remedy=Remedy(
            text="Make a new environment with an arm64 Python (from python.org, from Homebrew in "
            "/opt/homebrew, or from conda as below), and install PyTorch, Diffusers and mpsdoctor "
            "in it. If Terminal is set to open using Rosetta, switch that off first: Finder, "
            "Terminal, Get Info. The second line must then print arm64.",
            commands=(
                "CONDA_SUBDIR=osx-arm64 conda create --name pictures python=3.12",
                "conda run --name pictures python -c 'import platform; print(platform.machine())'",
            ),
        ),
    )
