"""Lines that install packages."""

import importlib.util
import sys
from pathlib import Path

import pytest

from mpsdoctor.install_commands import install_line, install_line_here


def test_the_line_is_for_this_environment_and_for_a_shell(tmp_path: Path) -> None:
    """A space in a path and a sign of the shell are quoted."""
    python = tmp_path / "my env" / "bin" / "python"

    assert f"'{python}' -m pip install 'a>=1'" == install_line(str(python), "a>=1", pip=True)
    assert f"uv pip install --python '{python}' -U 'a>=1'" == install_line(
        str(python), "-U", "a>=1", pip=False
    )


@pytest.mark.parametrize(("found", "tool"), [(None, "uv"), (object(), sys.executable)])
def test_an_environment_without_pip_is_uvs(
    found: object, tool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uv makes environments without it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found if name == "pip" else 1)

    python = f" --python {sys.executable}" if tool == "uv" else ""
    start = "uv pip" if tool == "uv" else f"{sys.executable} -m pip"
    assert f"{start} install{python} torch" == install_line_here("torch")
