"""`mpsdoctor check`: a real examination, and what becomes of the profile."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from mpsdoctor.cli import main
from mpsdoctor.cli.doctor.tuned_profile import write_profile
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.records import Facts, Memory
from mpsdoctor.profile.loading import load
from mpsdoctor.profile.settings import Profile
from tests.support.machines import MACHINES
from tests.support.shipped_profiles import machine

OLDER = Path(__file__).parents[2] / "profile" / "older"


@pytest.fixture
def mac() -> Facts:
    """A recorded Mac on which everything works."""
    return msgspec.json.decode(
        (MACHINES / "m5-macos-27.0-torch-2.14.0.json").read_text(), type=Facts
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings" / "profile.toml"


@pytest.mark.skipif(sys.platform == "darwin", reason="says what check finds where there is no Mac")
def test_away_from_a_mac_check_says_so_and_writes_a_profile_for_the_cpu(path: Path) -> None:
    """One plain error, exit code 1, and a profile that renders all the same."""
    checked = subprocess.run(
        [sys.executable, "-m", "mpsdoctor", "check", "--profile", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 1 == checked.returncode
    assert "MPS101" in checked.stdout
    assert str(path) in checked.stderr
    assert "cpu" == load(Profile, path, {}).profile.device


def test_a_second_check_keeps_edits_and_the_model(
    path: Path, mac: Facts, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the user changed stays and is shown beside what was tuned; so does the model."""
    write_profile(mac, "someone/a-model", path)
    path.write_text(path.read_text().replace('dtype = "float16"', 'dtype = "float32"'))
    capsys.readouterr()

    write_profile(mac, None, path)

    profile = load(Profile, path, {}).profile
    assert ("someone/a-model", "float32", "fp16") == (
        profile.model,
        profile.dtype,
        profile.variant,
    )
    told = capsys.readouterr().err.splitlines()
    assert told[1:] == [
        f"Profile: {path}",
        "Model: someone/a-model",
        "  kept your own dtype = float32; tuned: float16",
    ]


def test_a_check_says_which_settings_it_changed(
    path: Path, mac: Facts, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of another Mac's profile, say: each with both values, and what was edited by hand stays."""
    main.run(["profile", "use", "m1-8gb-torch-2.8.0-sd15", "--profile", str(path)])
    assert capsys.readouterr() == (
        "",
        f"Profile: {path}\n"
        "The next `mpsdoctor check` re-tunes it for this machine. Values that you edit are kept.\n",
    )
    path.write_text(f"{path.read_text()}vae_tiling = true\n")
    before = load(Profile, path, {}).profile

    write_profile(mac, None, path)

    after = load(Profile, path, {}).profile
    said = capsys.readouterr().err.splitlines()
    [changes] = [line.removeprefix("Changed: ") for line in said if line.startswith("Changed: ")]
    assert changes.split("; ") == [
        f"attention_budget {before.attention_budget} -> {after.attention_budget}",
        f"largest_side {before.largest_side} -> not set",
    ]
    assert "  kept your own vae_tiling = True; tuned: False" in said

    write_profile(mac, None, path)
    assert "Changed" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "recorded"), [("tuned", ("m1-8gb", "2.8.0")), ("measured", ("m1-8gb", "2.13.0"))]
)
def test_a_profile_in_the_older_form_is_rewritten_as_it_was(
    path: Path, name: str, recorded: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With what was measured and set by hand; a second check says the same.

    What was measured is what no rule would choose: native attention. Only what is recommended for
    the model is new.
    """
    older = (OLDER / f"{name}.toml").read_text("utf-8")
    path.parent.mkdir()
    path.write_text(older.replace("vae_tiling = false", "vae_tiling = true"), "utf-8")
    versions = {"torch": recorded[1], "diffusers": "0.42.1"}
    facts = replace(machine(*recorded), packages=versions)
    before = load(Profile, path, {}).profile

    write_profile(facts, None, path)
    once = path.read_text("utf-8")
    write_profile(facts, None, path)

    after = load(Profile, path, {}).profile
    recommended = {"num_inference_steps": 50, "guidance_scale": 7.5}
    assert before.model_copy(update=recommended) == after
    assert once == path.read_text("utf-8")
    assert ("Measured with torch 2.13.0, diffusers 0.42.1" in once) is (name == "measured")
    said = capsys.readouterr().err.splitlines()
    assert ["Changed: num_inference_steps not set -> 50; guidance_scale not set -> 7.5"] == [
        line for line in said if line.startswith("Changed")
    ]
    assert ["  kept your own vae_tiling = True; tuned: False"] * 2 == [
        line for line in said if "kept" in line
    ]


def test_a_first_check_says_what_the_embedded_model_is(
    path: Path, mac: Facts, capsys: pytest.CaptureFixture[str]
) -> None:
    """And how to name another; without a profile before, nothing has changed."""
    write_profile(mac, None, path)

    assert capsys.readouterr() == (
        "",
        f"Profile: {path}\n"
        "Model: shapes, which draws simple shapes. For another: mpsdoctor check --model ID\n",
    )


@pytest.mark.parametrize("text", ['dtpye = "float32"', "environment = 3", "dtype = ", "ÿ"])
def test_a_profile_that_is_not_understood_is_left_as_it_is(
    path: Path, mac: Facts, text: str
) -> None:
    """A typo is an error with its place, and the file is never overwritten."""
    path.parent.mkdir()
    path.write_text(text, "latin-1")

    with pytest.raises(MpsDoctorError) as refused:
        write_profile(mac, None, path)
    assert str(path) in refused.value.detail
    assert text == path.read_text("latin-1")
    assert [path] == list(path.parent.iterdir())


def test_a_new_model_replaces_the_old_one_and_its_settings(path: Path, mac: Facts) -> None:
    """`--model` names another model: the size and steps of the embedded one go with it."""
    write_profile(mac, None, path)
    assert ("shapes", 128, 12) == _essentials(path)

    write_profile(mac, "someone/a-model", path)
    assert ("someone/a-model", None, None) == _essentials(path)


def test_a_local_folder_is_kept_as_an_absolute_path(
    path: Path, mac: Facts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon, which starts elsewhere, finds the same folder."""
    (tmp_path / "my-model").mkdir()
    monkeypatch.chdir(tmp_path)

    write_profile(mac, "my-model", path)

    assert str(tmp_path / "my-model") == load(Profile, path, {}).profile.model


def test_a_model_that_is_not_on_this_machine_is_named_with_the_command_that_fetches_it(
    path: Path, mac: Facts, capsys: pytest.CaptureFixture[str]
) -> None:
    """Check itself downloads nothing."""
    write_profile(mac, "nobody/no-such-model", path)

    assert capsys.readouterr().err == (
        "nobody/no-such-model is not on this machine yet. To download it: mpsdoctor pull "
        f"nobody/no-such-model\nProfile: {path}\nModel: nobody/no-such-model\n"
    )


def test_a_model_that_cannot_fit_is_not_sent_for(
    path: Path, mac: Facts, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that downloads 34 GB in vain is not named, but the one that helps."""
    small = replace(mac, hardware=replace(mac.hardware, ram_bytes=16 * 2**30), memory=Memory())

    write_profile(small, "black-forest-labs/FLUX.1-dev", path)

    assert capsys.readouterr().err == (
        "black-forest-labs/FLUX.1-dev does not fit in this Mac's memory: it takes 32.0 GiB, 21.4 "
        "GiB too much. To see what would fit: mpsdoctor plan black-forest-labs/FLUX.1-dev\n"
        f"Profile: {path}\nModel: black-forest-labs/FLUX.1-dev\n"
    )


def _essentials(path: Path) -> tuple[str, int | None, int | None]:
    profile = load(Profile, path, {}).profile
    return profile.model, profile.width, profile.num_inference_steps
