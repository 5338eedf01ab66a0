"""`mpsdoctor bugreport`."""

import getpass
from pathlib import Path

import msgspec
import pytest

from mpsdoctor import __version__
from mpsdoctor.cli import main
from mpsdoctor.constants import ExitCode
from mpsdoctor.facts import collect
from mpsdoctor.facts.records import Facts
from tests.support.machines import MACHINES


def test_the_report_names_the_machine_and_not_its_owner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Questions first, then the machine; neither home nor user are in it."""
    target = tmp_path / "report.md"

    assert ExitCode.OK is main.run(["bugreport", "--output", str(target)])

    text = target.read_text("utf-8")
    assert text.startswith(
        "## What did you do?\n\n## What did you expect?\n\n## What happened instead?\n\n"
        f"## The machine\n\nmpsdoctor {__version__}\n\n"
    )
    assert "| MPS101 " in text
    assert f"{Path.home()}/" not in text
    assert f"/{getpass.getuser()}/" not in text
    assert capsys.readouterr() == (
        f"{target}\n",
        "Answer its questions, read it, and attach it to your report.\n",
    )


def test_an_existing_file_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Answers that were written into an earlier report are not lost."""
    facts = (MACHINES / "linux-bare.json").read_bytes()
    recorded = msgspec.json.decode(facts, type=Facts)
    monkeypatch.setattr(collect, "collect", lambda **_: recorded)
    target = tmp_path / "report.md"
    target.write_text("my answers")

    assert ExitCode.FINDINGS is main.run(["bugreport", "--output", str(target)])
    assert "my answers" == target.read_text()
    assert capsys.readouterr() == (
        "",
        f"Error: {target} cannot be written\n"
        f"  [Errno 17] File exists: '{target}'\n"
        "  Name another file with --output FILE.\n",
    )
