"""Shell lines that install packages into a Python's environment."""

import importlib.util
import shlex
import sys

SEE_CHECK = (
    "Run `mpsdoctor check`: it prints the lines that install what is missing, with the PyTorch "
    "that fits this machine."
)
"""The hint where PyTorch may be missing too: pip takes the newest, which may lack mps here."""


def install_line(python: str, *arguments: str, pip: bool) -> str:
    """For the Python at `python`, which `pip` says to have pip; `arguments` are pip's own.

    uv, whose environments have no pip, takes the same ones (docs.astral.sh/uv/pip/environments).
    """
    if pip:
        return shlex.join((python, "-m", "pip", "install", *arguments))
    return shlex.join(("uv", "pip", "install", "--python", python, *arguments))


def install_line_here(*arguments: str) -> str:
    """For the Python that runs this."""
    has_pip = importlib.util.find_spec("pip") is not None
    return install_line(sys.executable, *arguments, pip=has_pip)
