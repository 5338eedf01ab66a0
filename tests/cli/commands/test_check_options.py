"""What `mpsdoctor check` can be asked for."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from mpsdoctor.checks.report import Report
from mpsdoctor.cli import main
from mpsdoctor.constants import ExitCode
from mpsdoctor.facts.records import Facts
from tests.support.machines import MACHINES

READY = MACHINES / "m2-pro-macos-14.7.4-torch-2.6.0.json"
BLOCKED = MACHINES / "m2-max-macos-13.7.4-torch-2.10.0.dev.json"


@pytest.fixture(autouse=True)
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a profile would be written."""
    path = tmp_path / "profile.toml"
    monkeypatch.setenv("MPSDOCTOR_PROFILE_FILE", str(path))
    return path


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
@pytest.mark.parametrize(
    ("machine", "level", "code"),
    [
        (READY, "error", ExitCode.OK),
        (READY, "note", ExitCode.FINDINGS),
        (BLOCKED, "error", ExitCode.FINDINGS),
    ],
)
def test_the_exit_code_is_the_same_in_every_form(
    machine: Path, level: str, code: ExitCode, form: str
) -> None:
    """It depends on the findings and the level that was asked for."""
    arguments = ["check", "--facts", str(machine), "--format", form, "--fail-level", level]

    assert code is main.run(arguments)


def test_a_recorded_machine_leaves_this_ones_profile_alone(profile: Path) -> None:
    """Another Mac does not change the settings of this one."""
    main.run(["check", "--facts", str(READY)])

    assert not profile.exists()


def test_json_is_the_report_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    """What is on stdout validates as a report, with its outcome."""
    main.run(["check", "--facts", str(BLOCKED), "--format", "json"])

    shown = capsys.readouterr()
    assert "" == shown.err
    assert "blocked" == json.loads(shown.out)["outcome"]
    assert (
        msgspec.json.decode(BLOCKED.read_text(), type=Facts)
        == msgspec.json.decode(shown.out, type=Report).facts
    )


def test_ignored_checks_are_left_out(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By argument and by the profile; the rest is examined as before."""
    profile.write_text('ignore = ["MPS401"]\n')

    code = main.run(["check", "--facts", str(BLOCKED), "--ignore", "MPS103", "-v"])

    shown = capsys.readouterr().out
    assert "MPS103" not in shown
    assert "MPS401" not in shown
    assert "MPS102" in shown
    assert ExitCode.OK is not code


def test_an_unknown_id_is_a_usage_error_and_the_near_one_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A typo does not silently ignore nothing."""
    assert ExitCode.USAGE is main.run(["check", "--ignore", "mps10x"])
    shown = capsys.readouterr()
    assert "" == shown.out
    assert shown.err.splitlines()[-1] == "  Did you mean MPS710?"


def test_quick_imports_no_torch_and_writes_no_profile(profile: Path) -> None:
    """It says so, instead of promising what it has not asked."""
    program = (
        "import sys\n"
        "from mpsdoctor.cli.main import run\n"
        "run(['check', '--quick'])\n"
        "sys.exit('torch' in sys.modules)\n"
    )

    subprocess.run([sys.executable, "-c", program], check=True)

    assert not profile.exists()


def test_saved_facts_are_a_machine_to_examine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Recorded here, examined anywhere: the same results."""
    saved = tmp_path / "facts.json"
    main.run(["check", "--save-facts", str(saved), "--format", "json"])
    here = msgspec.json.decode(capsys.readouterr().out, type=Report)

    main.run(["check", "--facts", str(saved), "--format", "json"])

    assert here.results == msgspec.json.decode(capsys.readouterr().out, type=Report).results


def test_recorded_facts_are_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is a link, and nobody waits for the examination to learn that."""
    notes, link = tmp_path / "notes.txt", tmp_path / "link"
    notes.write_text("mine")
    link.symlink_to(tmp_path / "gone")

    for saved in (notes, link):
        assert ExitCode.FINDINGS is main.run(["check", "--save-facts", str(saved)])
        assert capsys.readouterr() == (
            "",
            "Error: The facts cannot be recorded\n"
            f"  {saved} already exists, and is not overwritten.\n"
            "  Name another file.\n",
        )
    assert "mine" == notes.read_text()
    assert {notes, link} == set(tmp_path.iterdir())


def test_facts_that_cannot_be_written_are_an_error_before_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder does not exist, and is not made."""
    saved = tmp_path / "absent" / "facts.json"

    code = main.run(["check", "--facts", str(READY), "--save-facts", str(saved)])

    assert ExitCode.FINDINGS is code
    assert capsys.readouterr() == (
        "",
        "Error: The facts cannot be recorded\n"
        f"  [Errno 2] No such file or directory: '{saved}.tmp'\n"
        "  Name another file.\n",
    )
    assert not saved.parent.exists()


def test_a_file_that_is_not_a_recorded_machine_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error says how to make one."""
    (tmp_path / "x.json").write_text("[]")

    assert ExitCode.USAGE is main.run(["check", "--facts", str(tmp_path / "x.json")])
    assert "--save-facts" in capsys.readouterr().err
