"""`mpsdoctor bugreport`."""

import getpass
from pathlib import Path

import pytest

from mpsdoctor.cli import main
from mpsdoctor.constants import ExitCode


def test_the_report_names_the_machine_and_not_its_owner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Questions first, then the machine; neither home nor user stand in it."""
    target = tmp_path / "report.md"

    assert ExitCode.OK is main.run(["bugreport", "--output", str(target)])

    text = target.read_text("utf-8")
    assert text.startswith("## What did you do?")
    assert "| MPS101 " in text
    assert f"{Path.home()}/" not in text
    assert f"/{getpass.getuser()}/" not in text
    assert f"{target}\n" == capsys.readouterr().out


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    """Answers that were written into an earlier report are not lost."""
    target = tmp_path / "report.md"
    target.write_text("my answers")

    assert ExitCode.FINDINGS is main.run(["bugreport", "--output", str(target)])
    assert "my answers" == target.read_text()
