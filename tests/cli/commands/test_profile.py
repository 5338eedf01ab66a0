"""`mpsdoctor profile`."""

from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from mpsdoctor.cli import main, output
from mpsdoctor.cli.doctor.tuned_profile import write_profile
from mpsdoctor.constants import ExitCode
from mpsdoctor.facts.records import Facts
from mpsdoctor.resources import shipped
from tests.support.machines import MACHINES


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the profile is found without being named."""
    path = tmp_path / "profile.toml"
    monkeypatch.setenv("MPSDOCTOR_PROFILE_FILE", str(path))
    return path


def test_show_gives_value_origin_and_reason(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each setting in a line, those of the file with the tuned reason."""
    recorded = (MACHINES / "m2-pro-macos-14.7.4-torch-2.6.0.json").read_text()
    write_profile(msgspec.json.decode(recorded, type=Facts), "someone/a-model", path)
    monkeypatch.setenv("MPSDOCTOR_VAE_TILING", "true")

    assert ExitCode.OK is main.run(["profile", "show"])

    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]

    def line(setting: str) -> str:
        return next(line for line in lines if line.startswith(setting))

    assert ["attention", "bounded", "file"] == line("attention").split()[:3]
    assert "This model's needs" in line("attention")
    assert ["vae_tiling", "True", "environment"] == line("vae_tiling").split()[:3]
    assert ["width", "not", "set"] == line("width").split()[:3]
    assert "1.0" in line("PYTORCH_MPS_HIGH_WATERMARK_RATIO")


def test_show_of_a_setting_names_what_was_tuned(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A value set by hand is shown beside the tuned one; the reason is the file's."""
    main.run(["profile", "use", "m1-pro-16gb-torch-2.13.0-sdxl"])
    text = path.read_text("utf-8").replace('attention = "native"', 'attention = "bounded"')
    path.write_text(text, encoding="utf-8")

    assert ExitCode.OK is main.run(["profile", "show", "attention", "dtype"])

    lines = {tuple(line.split(maxsplit=1)) for line in capsys.readouterr().out.splitlines()}
    assert {("value", "bounded"), ("value", "float16")} <= lines
    assert ("from", "file, set by hand; tuned: native") in lines
    assert ("reason", "Half the memory of float32") in lines


def test_show_of_an_unknown_setting_says_what_was_meant(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is shown."""
    main.run(["profile", "use", "m1-pro-16gb-torch-2.13.0-sdxl"])
    capsys.readouterr()

    assert ExitCode.USAGE is main.run(["profile", "show", "attenton"])

    shown = capsys.readouterr()
    assert "" == shown.out
    assert shown.err.endswith(
        "\nError: The profile has no setting attenton\n  Did you mean attention?\n"
    )
    assert ExitCode.USAGE is main.run(["profile", "show", "dtype", "zzz"])
    shown = capsys.readouterr()
    assert "" == shown.out
    assert shown.err.endswith(
        "\nError: The profile has no setting zzz\n  `mpsdoctor profile show` lists them.\n"
    )


@pytest.mark.parametrize("command", ["profile show", "profile diff", "tune"])
def test_a_folder_in_the_place_of_the_profile_is_named(
    command: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A variable may name one; it is not an internal error, and nothing is written."""
    path.mkdir()

    assert ExitCode.FINDINGS is main.run(command.split())

    assert "The profile is not a file" in capsys.readouterr().err
    assert [] == list(path.iterdir())


@pytest.mark.parametrize("terminal", [True, False])
def test_no_name_and_no_value_is_cut(
    terminal: bool, path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names stay whole on the narrowest terminal, where values fold; a pipe gets a line each."""
    console = Console(highlight=False, width=60, force_terminal=terminal, color_system=None)
    monkeypatch.setattr(output, "_stdout", console)
    main.run(["profile", "use", "m1-8gb-torch-2.8.0-sd15"])
    main.run(["profile", "list"])
    main.run(["profile", "diff", "m5-max-64gb-torch-2.14.1-sdxl"])
    main.run(["profile", "show"])

    shown = capsys.readouterr().out

    names = {line.split()[0] for line in shown.splitlines() if line.strip()}
    assert {path.stem for path in shipped("profiles").glob("*.toml")} <= names
    assert {"PYTORCH_MPS_HIGH_WATERMARK_RATIO", "attention_budget"} <= names
    assert "…" not in shown
    assert terminal or "stable-diffusion-v1-5/stable-diffusion-v1-5" in shown


def test_path_prints_the_path_of_the_profile(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing but the path is on stdout."""
    assert ExitCode.OK is main.run(["profile", "path"])
    assert f"{path}\n" == capsys.readouterr().out


def test_show_without_a_profile_names_check(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The next step is said, and nothing is invented."""
    for command, which in ((["profile", "show"], "yet"), (["profile", "diff"], str(path))):
        assert ExitCode.FINDINGS is main.run(command)
        shown = capsys.readouterr()
        assert ("", f"Error: There is no profile {which}") == (
            shown.out,
            shown.err.splitlines()[0],
        )
        assert "mpsdoctor check" in shown.err
    assert not path.exists()


def test_use_takes_a_shipped_profile_and_sets_the_old_one_aside(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of what was there is lost."""
    path.write_text('device = "cpu"\n', encoding="utf-8")
    main.run(["profile", "list"])
    name = capsys.readouterr().out.split("torch-2.8.0-sd15")[0].split()[-1] + "torch-2.8.0-sd15"

    assert ExitCode.OK is main.run(["profile", "use", name])

    assert 'device = "mps"' in path.read_text("utf-8")
    assert 'device = "cpu"\n' == path.with_name("profile-before.toml").read_text("utf-8")


def test_use_writes_to_where_a_link_leads(path: Path) -> None:
    """A profile kept elsewhere stays there, with the old one beside it."""
    kept = path.parent / "dotfiles" / "mac.toml"
    kept.parent.mkdir()
    kept.write_text('device = "cpu"\n', encoding="utf-8")
    path.symlink_to(kept)

    main.run(["profile", "use", "m1-pro-16gb-torch-2.13.0-sdxl"])

    assert path.is_symlink()
    assert 'device = "mps"' in kept.read_text("utf-8")
    assert 'device = "cpu"\n' == kept.with_name("mac-before.toml").read_text("utf-8")


def test_use_of_an_unknown_name_says_what_was_meant(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The profile stays."""
    path.write_text('device = "cpu"\n', encoding="utf-8")

    for name, hint in (
        ("m1-8gb-torch-2.8-sd15", "Did you mean m1-8gb-torch-2.8.0-sd15?"),
        ("zzz", "`mpsdoctor profile list` shows those that ship."),
    ):
        assert ExitCode.USAGE is main.run(["profile", "use", name])
        error = f"Error: There is no profile {name}\n  {hint}\n"
        assert ("", error) == capsys.readouterr()
    assert 'device = "cpu"\n' == path.read_text("utf-8")
    assert [path] == list(path.parent.iterdir())


def test_use_takes_any_file_that_is_a_profile(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken one is refused, and the profile stays; a second old one gets another name."""
    friend, broken = tmp_path / "friend.toml", tmp_path / "broken.toml"
    friend.write_text('device = "cpu"\n')
    broken.write_text("dtpye = 3")
    path.write_text("width = 512\n")

    assert ExitCode.FINDINGS is main.run(["profile", "use", str(broken)])
    assert "width = 512\n" == path.read_text()
    capsys.readouterr()
    for number in ("", "-2"):
        assert ExitCode.OK is main.run(["profile", "use", str(friend)])
        assert capsys.readouterr() == (
            "",
            f"Previous profile: {path.parent / f'profile-before{number}.toml'}\n"
            f"Profile: {path}\n"
            "The next `mpsdoctor check` re-tunes it for this machine. Values that you edit are "
            "kept.\n",
        )
    assert friend.read_text() == path.read_text()


def test_only_one_comparison_is_shown_at_a_time(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a profile that is as it was tuned has no difference."""
    main.run(["profile", "use", "m1-pro-16gb-torch-2.8.0-sdxl"])
    capsys.readouterr()

    assert ExitCode.USAGE is main.run(["profile", "diff", "m1-8gb-torch-2.8.0-sd15", "--guide"])
    assert capsys.readouterr() == (
        "",
        "Error: Only one comparison at a time\n  Name a profile or use --guide, not both.\n",
    )
    assert ExitCode.OK is main.run(["profile", "diff"])
    assert ("", "No difference.\n") == capsys.readouterr()
    assert ExitCode.OK is main.run(["profile", "diff", str(path)])
    assert ("", "No difference.\n") == capsys.readouterr()


def test_diff_shows_hand_edits_another_profile_and_the_guide(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only settings that differ, with both values."""
    main.run(["profile", "use", "m1-pro-16gb-torch-2.8.0-sdxl"])
    path.write_text(path.read_text("utf-8") + "vae_tiling = true\n", encoding="utf-8")
    capsys.readouterr()

    def shown(*arguments: str) -> list[list[str]]:
        assert ExitCode.OK is main.run(["profile", "diff", *arguments])
        lines = capsys.readouterr().out.splitlines()
        return [line.split() for line in lines if "_" in line or "attention" in line]

    assert [["vae_tiling", "True", "False"]] == shown()
    assert ["attention", "native", "bounded"] in shown("m1-8gb-torch-2.8.0-sd15")
    assert ["attention", "native", "sliced"] in shown("--guide")
