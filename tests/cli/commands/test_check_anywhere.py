"""`mpsdoctor check` where something that it counts on is missing or broken."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mpsdoctor.checks.report import Status
from mpsdoctor.checks.runner import examine
from mpsdoctor.cli import main
from mpsdoctor.constants import ExitCode
from mpsdoctor.facts.collect import collect
from mpsdoctor.facts.command import CommandResult

pytestmark = pytest.mark.heavy

CHECK = (sys.executable, "-m", "mpsdoctor", "check", "--format", "json")
BROKEN = {
    "raise ImportError('libtorch_cpu.dylib is not there')": "ImportError: libtorch_cpu.dylib",
    "import os; os.abort()": "Python was killed by SIGABRT",
    "import os; os._exit(0)": "Python ended with exit code 0",
    "print('{}')": "AttributeError",
}


def check(environ: Mapping[str, str], *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, report by check id, and what stderr says, of a real process."""
    ended = subprocess.run(
        [*CHECK, *arguments], env=environ, capture_output=True, text=True, check=False
    )
    report = json.loads(ended.stdout)
    return ended.returncode, {entry["id"]: entry for entry in report["results"]}, ended.stderr


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has nothing yet."""
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}


@pytest.mark.parametrize("code", BROKEN)
def test_a_broken_torch_is_a_finding(code: str, home: dict[str, str], tmp_path: Path) -> None:
    """Whatever its import does, the report comes, and says what happened."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "torch.py").write_text(code, encoding="utf-8")

    _, results, _ = check({**home, "PYTHONPATH": str(tmp_path / "broken")})

    assert BROKEN[code] in results["MPS301"]["finding"]["observed"]


def test_an_environment_without_torch_is_told_how_to_get_it(
    home: dict[str, str], tmp_path: Path
) -> None:
    """Another Python's environment is examined: its torch is missing, and no profile is written."""
    venv.create(tmp_path / "comfy", with_pip=False, symlinks=True)

    code, results, _ = check(home, "--python", str(tmp_path / "comfy"))

    assert ExitCode.FINDINGS == code
    commands = results["MPS301"]["finding"]["remedy"]["commands"]
    assert ["uv pip install --python ~/comfy/bin/python torch"] == commands
    assert not list(tmp_path.rglob("profile.toml"))


@pytest.mark.parametrize("python", ["no/such/python", "/bin/ls", __file__])
def test_what_is_not_a_python_is_refused(python: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is examined in its place."""
    assert ExitCode.USAGE == main.run(["check", "--python", python])

    shown = capsys.readouterr()
    assert ("", True) == (shown.out, "cannot be examined" in shown.err)


def test_without_a_home_directory_the_report_comes_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files in it cannot be found: that is a finding, and the profile is not written."""

    def no_entry(_user: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", no_entry)
    for name in ("HOME", "MPSDOCTOR_PROFILE_FILE", "HF_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)

    assert ExitCode.FINDINGS == main.run(["check"])

    shown = capsys.readouterr()
    assert "~/mpsdoctor cannot be created: there is no home directory." in shown.out
    assert "Set the environment variable HOME" in shown.err


def test_on_a_read_only_disk_the_report_comes_first(home: dict[str, str], tmp_path: Path) -> None:
    """The hot folder cannot be made and the profile not be written: both are said."""
    locked = tmp_path / "locked"
    locked.mkdir()
    mount = ["unshare", "-rm", "sh", "-c", f'mount -t tmpfs -o ro none {locked} && exec "$@"', ""]
    if shutil.which("unshare") is None or subprocess.run([*mount, "true"], check=False).returncode:
        pytest.skip("this user may not mount a read-only disk")

    ended = subprocess.run(
        [*mount, *CHECK],
        env={**home, "HOME": str(locked)},
        capture_output=True,
        text=True,
        check=False,
    )

    results = {entry["id"]: entry for entry in json.loads(ended.stdout)["results"]}
    assert "EROFS" in results["MPS505"]["finding"]["observed"]
    assert ExitCode.FINDINGS == ended.returncode
    assert "The profile cannot be written" in ended.stderr


def test_a_mac_whose_programs_are_missing_is_unknown_and_not_ready() -> None:
    """Without sw_vers and sysctl nothing passes for ok that only they could tell."""

    def missing(_argv: Sequence[str], _timeout: float) -> CommandResult:
        return CommandResult(None, stderr="[Errno 2] No such file or directory")

    report = examine(collect(run=missing, kernel="Darwin", environ={}))

    assert ExitCode.INTERNAL == report.exit_code_at()
    told = {result.id for result in report.results if result.status is Status.OK}
    assert set() == told & {"MPS101", "MPS102", "MPS103", "MPS104", "MPS301", "MPS303", "MPS304"}
