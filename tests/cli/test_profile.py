"""`mpsdoctor profile`."""

from pathlib import Path

import msgspec
import pytest

from mpsdoctor.cli import main
from mpsdoctor.cli.tuning import write_profile
from mpsdoctor.constants import ExitCode
from mpsdoctor.facts.model import Facts

RECORDED = Path(__file__).parents[1] / "facts"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the profile is found without being named."""
    path = tmp_path / "profile.toml"
    monkeypatch.setenv("MPSDOCTOR_PROFILE_FILE", str(path))
    monkeypatch.setenv("COLUMNS", "200")
    return path


def test_show_gives_value_origin_and_reason(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each setting in a line, those of the file with the tuned reason."""
    recorded = (RECORDED / "m2-pro-macos-14.7.4-torch-2.6.0.json").read_text()
    write_profile(msgspec.json.decode(recorded, type=Facts), "someone/a-model", path)
    monkeypatch.setenv("MPSDOCTOR_VAE_TILING", "true")

    assert ExitCode.OK is main.run(["profile", "show"])

    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]

    def line(setting: str) -> str:
        return next(line for line in lines if line.startswith(setting))

    assert "native" in line("attention")
    assert "pytorch #187521" in line("attention")
    assert ["vae_tiling", "True", "environment"] == line("vae_tiling").split()[:3]
    assert ["width", "not", "set"] == line("width").split()[:3]
    assert "1.0" in line("PYTORCH_MPS_HIGH_WATERMARK_RATIO")


def test_path_says_where_the_profile_lies(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing but the path is on stdout."""
    assert ExitCode.OK is main.run(["profile", "path"])
    assert f"{path}\n" == capsys.readouterr().out


def test_show_without_a_profile_names_check(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The next step is said, and nothing is invented."""
    assert ExitCode.FINDINGS is main.run(["profile", "show"])
    assert "mpsdoctor check" in capsys.readouterr().err
