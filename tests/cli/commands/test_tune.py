"""`mpsdoctor tune`."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from mpsdoctor.cli import main
from mpsdoctor.constants import ExitCode
from mpsdoctor.facts import collect, sysctl
from mpsdoctor.facts.records import System
from mpsdoctor.profile import document
from mpsdoctor.tuning import candidates
from tests.support.pipelines import stable_diffusion


def test_what_is_fastest_here_is_measured_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Real processes render each candidate; the reason says with which releases."""
    folder, profile = tmp_path / "model", tmp_path / "profile.toml"
    stable_diffusion(tmp_path / "tokenizer").save_pretrained(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    code = main.run(["tune", str(folder), "--steps", "3", "--profile", str(profile)])

    shown = capsys.readouterr().out.splitlines()
    assert ExitCode.OK is code
    assert all("s a step" in line for line in shown[:-1])
    assert shown[-1].startswith("The fastest: ")
    reasons = document.read(profile.read_text("utf-8")).reasons
    assert reasons["attention"].startswith("Measured with torch ")


def test_what_is_measured_while_memory_is_short_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a Mac under pressure no figure counts, and the profile stays."""
    folder, profile = tmp_path / "model", tmp_path / "profile.toml"
    stable_diffusion(tmp_path / "tokenizer").save_pretrained(folder)
    kernel = tmp_path / "sysctl"
    kernel.write_text("#!/bin/sh\necho kern.memorystatus_vm_pressure_level: 2\n", "utf-8")
    kernel.chmod(0o755)
    mac = replace(collect.collect(canaries_on=None), system=System(kernel="Darwin"))
    monkeypatch.setattr(sysctl, "COMMAND", (str(kernel),))
    monkeypatch.setattr(collect, "collect", lambda: mac)
    monkeypatch.setattr(candidates, "_BUDGETS", ())  # one candidate is enough here
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    code = main.run(["tune", str(folder), "--steps", "3", "--profile", str(profile)])

    captured = capsys.readouterr()
    assert ExitCode.FINDINGS is code
    assert "not trusted: memory pressure was warning meanwhile" in captured.out
    assert "Close other programs" in captured.err
    assert not profile.exists()


def test_a_model_that_cannot_be_measured_leaves_the_profile(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not on this disk is neither downloaded nor guessed."""
    profile = tmp_path / "profile.toml"

    code = main.run(["tune", "nobody/no-such-model", "--profile", str(profile)])

    shown = capsys.readouterr()
    assert ExitCode.FINDINGS is code
    assert not profile.exists()
    assert "" == shown.out  # no other setting is tried after the first
    last = shown.err[shown.err.index("Error: The model nobody/no-such-model cannot be loaded") :]
    assert "mpsdoctor pull nobody/no-such-model" in last


def test_memory_is_not_blamed_for_a_model_that_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each setting says what happened, and to close programs would not help."""
    folder, profile = tmp_path / "model", tmp_path / "profile.toml"
    pipe = stable_diffusion(tmp_path / "tokenizer")
    pipe.unet.conv_in.weight.data.fill_(float("nan"))
    pipe.save_pretrained(folder)
    monkeypatch.setattr(candidates, "_BUDGETS", ())  # one candidate is enough here
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    code = main.run(["tune", str(folder), "--steps", "3", "--profile", str(profile)])

    shown = capsys.readouterr()
    assert ExitCode.FINDINGS is code
    assert "computed NaN" in shown.out
    assert "known faults" in shown.err
    assert "memory" not in shown.err
