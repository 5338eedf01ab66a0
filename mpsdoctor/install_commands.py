"""Shell lines that install packages into a Python's environment."""

import importlib.util
import shlex
import sys

SEE_CHECK = (
    "Run `mpsdoctor check`: it prints the commands that install what is missing, with the PyTorch "
    "that fits this machine."
)
"""A hint for when PyTorch may be missing: pip takes the newest, which may lack mps here."""


def install_line(python: str, *arguments: str, pip: bool) -> str:
    """The command for the Python at `python`. `pip` is whether it has pip, else it is uv's.

    uv takes the same `arguments` as pip (docs.astral.sh/uv/pip/environments).
    """
    if pip:
        return shlex.join((python, "-m", "pip", "install", *arguments))
    return shlex.join(("uv", "pip", "install", "--python", python, *arguments))


def install_line_here(*arguments: str) -> str:
    """The command for the Python that runs this."""
    has_pip = importlib.util.find_spec("pip") is not None
    return install_line(sys.executable, *arguments, pip=has_pip)
