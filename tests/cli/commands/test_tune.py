"""`mpsdoctor tune`."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from mpsdoctor.cli import main
from mpsdoctor.constants import ExitCode
from mpsdoctor.facts import collect, sysctl
from mpsdoctor.facts.measurement import Measurement
from mpsdoctor.facts.records import System
from mpsdoctor.profile import document
from mpsdoctor.profile.choice import Value
from mpsdoctor.tuning import candidates, measure
from mpsdoctor.tuning.measure import Settings
from tests.support.pipelines import stable_diffusion


def test_real_processes_render_and_say_how_long_a_step_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settings that have nothing to be compared with stay, and are seen to give a picture."""
    folder, profile = tmp_path / "model", tmp_path / "profile.toml"
    stable_diffusion(tmp_path / "tokenizer").save_pretrained(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(candidates, "candidates", lambda *_: [])

    code = main.run(["tune", str(folder), "--steps", "3", "--profile", str(profile)])

    line, verdict = capsys.readouterr().out.splitlines()
    assert ExitCode.OK is code
    assert line.endswith(" s a step")
    assert verdict.startswith("Nothing was shown to be 3 % faster than ")
    assert read(profile).reasons["attention"].endswith(", no difference")


class Steps:
    """What processes measure: each time 1 % more, and a fifth less with the settings named."""

    def __init__(self, **faster: Value) -> None:
        self.faster = faster.items()
        self.measurements = 0

    def __call__(self, settings: Settings, *_: object, **__: object) -> Measurement:
        self.measurements += 1
        share = 0.8 if self.faster <= settings.items() else 1.0
        return Measurement(step_seconds=(share * 1.01**self.measurements,))


def read(profile: Path) -> document.Document:
    return document.read(profile.read_text("utf-8"))


def test_only_what_is_shown_to_be_faster_is_written_and_then_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run, in which nothing differs, and a check with the same releases leave it."""
    profile = tmp_path / "profile.toml"
    tune = ["tune", "shapes", "--profile", str(profile)]
    check = ["check", "--model", "shapes", "--profile", str(profile)]
    main.run(check)
    before = dict(read(profile).values)
    capsys.readouterr()

    monkeypatch.setattr(measure, "measure_settings", Steps())
    assert ExitCode.OK is main.run(tune)
    same = capsys.readouterr()
    assert before == read(profile).values
    assert "Nothing was shown to be 3 % faster than native attention" in same.out
    assert read(profile).reasons["attention"].endswith(", no difference")

    monkeypatch.setattr(measure, "measure_settings", Steps(attention="bounded"))
    assert ExitCode.OK is main.run(tune)
    assert "25 % faster than native attention" in capsys.readouterr().out
    faster = read(profile)
    assert before | {"attention": "bounded", "attention_budget": 256} == faster.values
    assert faster.reasons["attention"].startswith("Measured with torch ")

    monkeypatch.setattr(measure, "measure_settings", Steps())
    assert ExitCode.OK is main.run(tune)
    main.run(check)
    assert faster.values == read(profile).values
    assert faster.reasons["attention"] == read(profile).reasons["attention"]


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
