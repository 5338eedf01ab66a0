"""The exit code of `mpsdoctor check`, for every recorded machine and format."""

from pathlib import Path

import msgspec
import pytest

from mpsdoctor.checks.runner import examine
from mpsdoctor.cli.main import run
from mpsdoctor.constants import ExitCode
from mpsdoctor.facts.records import Facts
from tests.support.machines import MACHINES

RECORDED = sorted(MACHINES.glob("*.json"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_format_ends_with_the_same_exit_code(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script may read whichever it likes; 0 is only for a machine that is ready."""
    monkeypatch.setenv("MPSDOCTOR_PROFILE_FILE", str(tmp_path / "profile.toml"))
    report = examine(msgspec.json.decode(path.read_bytes(), type=Facts))
    codes = {
        form: run(["check", "--facts", str(path), "--format", form])
        for form in ("text", "json", "markdown")
    }
    assert dict.fromkeys(codes, report.exit_code_at()) == codes


def test_the_codes_are_those_that_scripts_rely_on() -> None:
    """The help of `mpsdoctor check` names them."""
    assert {code.name: code.value for code in ExitCode} == {
        "OK": 0,
        "FINDINGS": 1,
        "USAGE": 2,
        "INTERNAL": 3,
        "INTERRUPTED": 130,
    }
