"""Lines that install packages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.install_commands import install_line
from mpsdoctor.libraries import require_libraries

LINE = "from mpsdoctor.install_commands import install_line_here; print(install_line_here('a>=1'))"


def test_the_line_is_for_this_environment_and_for_a_shell(tmp_path: Path) -> None:
    """Where there is no pip it is uv's, and a space in a path or a sign of the shell is quoted."""
    folder = tmp_path / "my env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    here = {"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": os.environ["PATH"]}

    said = subprocess.run([python, "-c", LINE], env=here, check=True, capture_output=True)

    assert f"uv pip install --python '{python}' 'a>=1'\n" == said.stdout.decode()
    assert f"'{python}' -m pip install 'a>=1'" == install_line(str(python), "a>=1", pip=True)


def test_no_hint_has_pip_choose_the_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the newest, which installs on a macOS on which it has no mps."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MpsDoctorError) as refused:
        require_libraries()
    assert "mpsdoctor check" in refused.value.hint
    assert "pip" not in refused.value.hint
