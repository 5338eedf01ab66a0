"""The lines to copy that several checks share."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mpsdoctor.checks.remedies import install, install_torch
from mpsdoctor.facts.command import run
from mpsdoctor.facts.probes.interpreter import ask
from mpsdoctor.facts.records import Facts, Python, System

pytestmark = pytest.mark.heavy

# What uv does with these arguments, for machines that lack it.
UV = f"""#!/bin/sh
[ "$1 $2 $3" = "pip install --python" ] || exit 2
python=$4
shift 4
exec {sys.executable} -m pip --python "$python" install "$@"
"""


@pytest.mark.parametrize(
    ("macos", "python", "torch", "needed"),
    [
        ("12.7.6", "3.11.9", "2.4.1", "macOS 13.0 or newer"),
        ("12.7.6", "3.13.1", "2.4.1", "macOS 13.0 or newer"),
        ("14.7.4", "3.8.20", "2.4.1", "Python 3.12"),
        ("13.7.4", "3.11.9", "2.8.0", None),
        ("14.7.4", "3.12.8", "2.14.1", None),
    ],
)
def test_a_torch_too_old_for_the_render_extra_is_named_with_what_a_newer_needs(
    macos: str, python: str, torch: str, needed: str | None
) -> None:
    """It is offered with a note on what mpsdoctor needs to render."""
    system = System(kernel="Darwin", macos_version=macos)
    text = install_torch(Facts(system=system, python=Python(version=python))).text
    assert f"PyTorch {torch}" in text
    reservation = f"mpsdoctor itself renders with PyTorch 2.6 or newer, which needs {needed}"
    assert (needed is not None) == (reservation in text)
    assert (needed is not None) == ("mpsdoctor itself" in text)


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """The variables of a shell without network, in which pip and uv find one package."""
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(UV)
    uv.chmod(0o755)
    with zipfile.ZipFile(tmp_path / "accelerate-1.15.0-py3-none-any.whl", "w") as wheel:
        info = "accelerate-1.15.0.dist-info"
        named = "Name: accelerate\nVersion: 1.15.0\n"
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\n{named}")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return {
        "HOME": str(tmp_path),
        "PATH": f"{os.environ['PATH']}:{uv.parent}",
        **dict.fromkeys(("PIP_NO_INDEX", "UV_OFFLINE", "PIP_DISABLE_PIP_VERSION_CHECK"), "1"),
        **dict.fromkeys(("PIP_FIND_LINKS", "UV_FIND_LINKS"), str(tmp_path)),
    }


def installed(python: str, shell: dict[str, str], examined: str) -> tuple[str, ...]:
    """The lines for the `examined` Python, after they have installed Accelerate for `python`."""
    facts = Facts(system=System(kernel="Darwin"), python=ask(run, examined, 60.0).python)
    lines = install(facts, "Accelerate", "accelerate").commands
    subprocess.run(["sh", "-ec", "\n".join(lines)], env=shell, check=True, capture_output=True)
    assert ask(run, python, 60.0).packages == {"accelerate": "1.15.0"}
    return lines


def test_the_lines_install_outside_an_environment_and_in_the_new_one(
    tmp_path: Path, shell: dict[str, str]
) -> None:
    """Outside any environment the lines make one, and in that one they use its pip."""
    python = str(tmp_path / "pictures" / "bin" / "python")
    outside = f"{sys.base_prefix}/bin/python3"

    assert installed(python, shell, outside) == (
        f"{outside} -m venv ~/pictures",
        "~/pictures/bin/python -m pip install accelerate",
    )
    [info] = tmp_path.glob("pictures/lib/*/site-packages/accelerate-*")
    shutil.rmtree(info)
    assert installed(python, shell, python) == (f"{python} -m pip install accelerate",)


def test_the_lines_install_in_an_environment_without_pip(
    tmp_path: Path, shell: dict[str, str]
) -> None:
    """In an environment like those of uv, the lines use uv, and quote its folder."""
    folder = tmp_path / "my env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = f"{folder}/bin/python"

    assert installed(python, shell, python) == (f"uv pip install --python '{python}' accelerate",)


def test_an_environment_is_not_made_with_the_python_of_xcode() -> None:
    """The lines use another Python, and the PyTorch is chosen for that one."""
    base = "/Library/Developer/CommandLineTools/Library/Frameworks/Python3.framework/Versions/3.9"
    python = Python(version="3.9.6", prefix=base, base_prefix=base, conda=False, pip=True)
    remedy = install_torch(
        Facts(system=System(kernel="Darwin", macos_version="15.5"), python=python)
    )
    assert "Python 3.12" in remedy.text
    assert remedy.commands == (
        "brew install python@3.12",
        "/opt/homebrew/bin/python3.12 -m venv ~/pictures",
        "~/pictures/bin/python -m pip install torch==2.15.0",
    )
