"""What ships beside the code, and that every kind of installation finds it."""

import plistlib
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from mpsdoctor.resources import shipped
from tests.support.shipped_profiles import names, text

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).parents[1]
FIND_EVERYTHING = """
import sys
from pathlib import Path
import mpsdoctor
from mpsdoctor.resources import embedded_model, knowledge, shipped
print(Path(mpsdoctor.__file__).parent)
for file in (
    shipped("profiles") / "m1-8gb-torch-2.8.0-sd15.toml",
    shipped("launchd") / "io.github.mpsdoctor.watch.plist",
    shipped("docs/checks") / "MPS101.md",
    knowledge("floors.toml"),
    embedded_model() / "model_index.json",
):
    if not file.is_file():
        sys.exit(f"{file} is missing")
"""


@pytest.mark.parametrize("name", names())
def test_each_profile_is_what_its_recorded_mac_is_tuned_to(name: str) -> None:
    """A rule that changes them is followed by `python -m tests.support.shipped_profiles`."""
    assert text(*names()[name]) == (shipped("profiles") / name).read_text("utf-8")


def test_the_profiles_folder_holds_only_those() -> None:
    """No profile ships that no test makes."""
    assert set(names()) == {path.name for path in shipped("profiles").glob("*.toml")}


def test_the_agents_template_is_a_property_list() -> None:
    """launchd would run `python -m mpsdoctor watch` as an interactive process."""
    agent = plistlib.loads((shipped("launchd") / "io.github.mpsdoctor.watch.plist").read_bytes())

    assert ["@PYTHON@", "-m", "mpsdoctor", "watch", "--quiet"] == agent["ProgramArguments"]
    assert ("Interactive", {"SuccessfulExit": False}) == (agent["ProcessType"], agent["KeepAlive"])


@pytest.mark.parametrize("kind", ["editable", "folder", "wheel"])
def test_an_installation_finds_what_ships_with_it(kind: str, tmp_path: Path) -> None:
    """In an editable install, an install of the folder, and one of the wheel alike."""
    python = _environment(tmp_path / "venv")
    build = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    if kind == "wheel":
        _pip("wheel", *build, "--wheel-dir", str(tmp_path), str(ROOT))
        wheel = next(tmp_path.glob("*.whl"))
        assert not [name for name in ZipFile(wheel).namelist() if "shapes/training" in name]
        target = [str(wheel)]
    else:
        target = [str(ROOT)] if kind == "folder" else ["--editable", str(ROOT)]
    _pip("--python", str(python), "install", *build, *target)

    found = subprocess.run(
        [python, "-c", FIND_EVERYTHING], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert "" == found.stderr
    package = Path(found.stdout.strip())
    assert (kind == "editable") is (package == ROOT / "mpsdoctor")


def _environment(folder: Path) -> Path:
    """A new environment that sees this one's packages, but not its mpsdoctor."""
    venv.create(folder, with_pip=False, symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = folder / "lib" / version / "site-packages"
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "python"


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True)
