"""`mpsdoctor check --fix` and `--undo`, with real files."""

import os
import pty
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from mpsdoctor import paths
from mpsdoctor.checks.report import Fix, FixKind, Report
from mpsdoctor.cli import main
from mpsdoctor.cli.doctor.tuned_profile import write_profile
from mpsdoctor.constants import ExitCode
from mpsdoctor.facts import collect
from mpsdoctor.facts.command import run
from mpsdoctor.facts.disk import storage
from mpsdoctor.facts.records import Facts
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.profile.loading import load
from mpsdoctor.profile.settings import Profile
from tests.support.killed_fix import snapshot
from tests.support.machines import MACHINES

pytestmark = pytest.mark.heavy

M2_PRO = MACHINES / "m2-pro-macos-14.7.4-torch-2.6.0.json"
MAC = msgspec.json.decode(M2_PRO.read_bytes(), type=Facts)
FIX = ["check", "--fix", "--quick"]
PLAN = """\

Safe fixes:
  make the folder {home}/mpsdoctor
  make the folder {home}/mpsdoctor/inbox
  make the folder {home}/mpsdoctor/images
  make the folder {home}/mpsdoctor/done
  make the folder {home}/mpsdoctor/failed
  make the folder {home}/mpsdoctor/.work
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A newcomer's: nothing in it."""
    home = Path(os.path.realpath(tmp_path)) / "home"
    home.mkdir()
    for name in [name for name in os.environ if name.startswith(("MPSDOCTOR_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(paths, "undo_file", lambda: home.parent / "state" / "undo.json")
    monkeypatch.setenv("MPSDOCTOR_PROFILE_FILE", str(home / "profile.toml"))
    return home


@pytest.fixture
def profile(home: Path) -> Path:
    return home / "profile.toml"


@pytest.fixture
def on_a_mac(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands examine a recorded Mac, with this disk."""

    def collected(*, hot_folder: Path, **asked: object) -> Facts:
        return replace(MAC, hot_folder=storage.hot_folder(hot_folder, home, run, "Linux"))

    monkeypatch.setattr(collect, "collect", collected)


@pytest.mark.usefixtures("on_a_mac")
def test_a_dry_run_says_what_it_would_do_and_does_nothing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report comes first, the plan after it; the exit code is the report's."""
    assert ExitCode.OK is main.run(["check", "--fix", "--dry-run"])

    shown = capsys.readouterr().out
    assert "note      MPS505  hot folder\n" in shown
    assert f"\nReady to render on mps\n{PLAN.format(home=home)}" in shown
    assert {} == snapshot(home)


@pytest.mark.usefixtures("on_a_mac")
def test_a_fix_is_carried_out_checked_and_taken_back(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was found is fixed, and gone from the second report; undo leaves no trace."""
    assert ExitCode.OK is main.run([*FIX, "--yes"])

    before, _, after = capsys.readouterr().out.partition(PLAN.format(home=home))
    assert "MPS505" in before
    assert ["fixed  MPS505  hot folder"] == [line for line in after.splitlines() if "505" in line]
    assert "\nTo undo this: mpsdoctor check --undo\n\n" in after
    assert (home / "mpsdoctor" / "inbox").is_dir()

    assert ExitCode.OK is main.run(["check", "--undo"])
    folders = ("/.work", "/failed", "/done", "/images", "/inbox", "")
    removed = "".join(f"removed {home}/mpsdoctor{name}\n" for name in folders)
    assert (removed, "") == capsys.readouterr()
    assert {} == snapshot(home)

    assert ExitCode.OK is main.run(["check", "--undo"])
    assert ("", "There is nothing to undo.\n") == capsys.readouterr()


@pytest.mark.usefixtures("on_a_mac")
def test_a_fix_that_did_not_help_is_named_with_the_reason(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second examination still has the finding."""
    before = collect.collect(hot_folder=home / "mpsdoctor")
    monkeypatch.setattr(collect, "collect", lambda **_: before)

    assert ExitCode.OK is main.run(["check", "--fix", "--yes"])

    lines = capsys.readouterr().out.splitlines()
    reason = f"The hot folder {home}/mpsdoctor does not exist yet."
    assert [f"not fixed  MPS505  hot folder: {reason}"] == [
        line for line in lines if line.startswith(("fixed", "not fixed"))
    ]


@pytest.mark.parametrize("form", ["json", "markdown"])
def test_for_a_program_only_the_last_report_is_on_stdout(
    home: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan and what came of it are told beside it."""
    main.run([*FIX, "--dry-run", "--format", form])
    planned = capsys.readouterr()
    main.run([*FIX, "--yes", "--format", form])
    done = capsys.readouterr()

    assert PLAN.format(home=home) in planned.err
    assert "fixed  MPS505" in done.err
    if form == "json":
        reports = [msgspec.json.decode(shown.out, type=Report) for shown in (planned, done)]
        fixes = [[r.finding.remedy.fix for r in report.results if r.finding] for report in reports]
        fix = Fix(kind=FixKind.HOT_FOLDER)
        assert [True, False] == [fix in found for found in fixes]
    else:
        assert [1, 0] == [shown.out.count("Fix: `mpsdoctor check") for shown in (planned, done)]


USAGE = "Usage: mpsdoctor check [OPTIONS]\nTry 'mpsdoctor check --help' for help.\n\n"
NEEDS_FIX = f"{USAGE}Error: --dry-run and --yes need --fix.\n"
HERE = f"{USAGE}Error: --fix is for this machine: leave out --facts and --python.\n"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--dry-run"], NEEDS_FIX),
        (["--yes"], NEEDS_FIX),
        (["--undo", "--yes"], NEEDS_FIX),
        (["--fix", "--undo"], f"{USAGE}Error: --fix and --undo are opposites.\n"),
        (["--fix", "--yes", "--facts", "x.json"], HERE),
        (["--fix", "--dry-run", "--python", "python3"], HERE),
        (
            ["--fix"],
            "Error: Cannot ask for confirmation\n"
            "  --fix asks before it changes anything, but standard input is not a terminal.\n"
            "  `--fix --dry-run` shows what it would do; `--fix --yes` does it.\n",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_examined(
    arguments: list[str], error: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also a question that nobody could answer: there is no terminal here."""
    assert ExitCode.USAGE is main.run(["check", *arguments])

    assert ("", error) == capsys.readouterr()
    assert {} == snapshot(home)


@pytest.mark.parametrize(("answer", "made"), [(b"y\n", True), (b"n\n", False), (b"\n", False)])
def test_on_a_terminal_it_asks(home: Path, answer: bytes, made: bool) -> None:
    """Only a yes is one."""
    terminal, other = pty.openpty()
    os.write(terminal, answer)

    ended = subprocess.run(
        [sys.executable, "-m", "mpsdoctor", *FIX],
        stdin=other,
        capture_output=True,
        text=True,
        check=False,
    )

    os.close(other)
    os.close(terminal)
    assert "Apply these fixes? [y/N]: " == ended.stderr
    assert made is (home / "mpsdoctor").exists()
    assert made is ("fixed  MPS505" in ended.stdout)


def test_a_broken_profile_is_rewritten_and_comes_back_byte_for_byte(
    home: Path, profile: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A real examination: edits stay, a check in between changes nothing, undo restores.

    Who may read the profile stays the same throughout, for its copy too.
    """
    profile.write_bytes('height = 640\r\ndtpye = "float32"\nmodel = \n# ä\n'.encode())
    profile.chmod(0o640)
    before = snapshot(home)

    main.run(["check", "--fix", "--yes"])
    fixed = capsys.readouterr()
    main.run(["check"])
    in_between = capsys.readouterr()

    assert "fixed  MPS801  profile\n" in fixed.out
    assert "without model =\n" in fixed.out
    settings = load(Profile, profile, {}).profile
    assert (640, "float32", "shapes") == (settings.height, settings.dtype, settings.model)
    assert before["profile.toml"] == (home / "profile.aside.toml").read_bytes()
    assert {0o640} == {stat.S_IMODE(path.stat().st_mode) for path in home.glob("profile*.toml")}
    assert "kept your own height = 640" in in_between.err

    assert ExitCode.OK is main.run(["check", "--undo"])
    (home / "profile.facts.json").unlink()  # what a check found is not a fix
    assert before == snapshot(home)
    assert 0o640 == stat.S_IMODE(profile.stat().st_mode)


def test_without_a_fix_a_broken_profile_is_reported_once_and_left_alone(
    profile: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report names it, with its fix; nothing is written over."""
    profile.write_text("dtype = ")

    assert ExitCode.FINDINGS is main.run(["check"])

    shown = capsys.readouterr()
    assert "error     MPS801  profile\n" in shown.out
    assert "Error:" not in shown.err
    assert shown.err == (
        "The profile is unchanged. The profile is not valid TOML. "
        f"{profile}: Invalid value (at end of document).\n"
    )
    assert "dtype = " == profile.read_text()


@pytest.mark.usefixtures("on_a_mac")
def test_settings_that_break_pictures_are_put_back_and_the_rest_is_kept(
    home: Path, profile: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One rewriting for all of them; what each was, is said."""
    Layout(home / "mpsdoctor").create()
    write_profile(MAC, "someone/a-model", profile)
    text = profile.read_text()
    for tuned, pinned in (
        ('attention = "bounded" ', 'attention = "sliced" '),
        ('HIGH_WATERMARK_RATIO = "1.0" ', 'HIGH_WATERMARK_RATIO = "0.7" '),
    ):
        assert tuned in text
        text = text.replace(tuned, pinned)
    text += "vae_tiling = true\n"
    profile.write_text(text)

    assert ExitCode.OK is main.run(["check", "--fix", "--yes"])

    shown = capsys.readouterr().out
    assert (
        f"""
Safe fixes:
  set attention = "bounded" in {profile}, was "sliced"
  set PYTORCH_MPS_HIGH_WATERMARK_RATIO = "1.0" in {profile}, was "0.7"
"""
        in shown
    )
    assert "\nfixed  MPS802  settings by hand\n" in shown
    settings = load(Profile, profile, {}).profile
    assert ("bounded", True) == (settings.attention, settings.vae_tiling)

    main.run(["check", "--undo"])
    assert text == profile.read_text()


@pytest.mark.usefixtures("on_a_mac")
def test_an_edit_after_the_fix_is_not_undone(
    profile: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said, by the exit code too, and both the edit and the old file are there."""
    profile.write_text("widht = 640")
    main.run(["check", "--fix", "--yes"])
    edited = profile.read_text().replace("width = 640", "width = 800")
    profile.write_text(edited)
    capsys.readouterr()

    assert ExitCode.FINDINGS is main.run(["check", "--undo"])

    shown = capsys.readouterr()
    assert f"{profile} was not restored: it was changed after the fix\n" in shown.out
    assert "Some changes were not undone. To try again later: mpsdoctor check --undo\n" == shown.err
    assert edited == profile.read_text()
    assert "widht = 640" == profile.with_name("profile.aside.toml").read_text()


def test_a_variable_that_is_not_understood_is_for_the_user_to_change(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is in no file of ours: there is no fix, and no promise of one."""
    monkeypatch.setenv("MPSDOCTOR_DTPYE", "float32")

    main.run(["check", "--fix", "--dry-run"])

    shown = capsys.readouterr().out
    assert "The profile has no setting MPSDOCTOR_DTPYE." in shown
    assert "Did you mean MPSDOCTOR_DTYPE?" in shown
    assert 1 == shown.count("`mpsdoctor check --fix` does this")


@pytest.mark.usefixtures("on_a_mac")
def test_commands_are_left_to_the_user(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What installs is shown as lines to copy, and a fix does not run them."""
    Layout(home / "mpsdoctor").create()
    collected: Callable[..., Facts] = collect.collect
    monkeypatch.setattr(
        collect, "collect", lambda **asked: replace(collected(**asked), packages={"torch": "2.6.0"})
    )

    main.run(["check", "--fix", "--yes"])

    shown = capsys.readouterr().out
    plan, _, commands = shown.partition("\n  MPS601")
    assert "\nSafe fixes: none.\n\nFor you to read, copy and run:\n" in plan
    assert commands == (
        "  Diffusers\n"
        "    python3 -m pip install diffusers\n"
        "  MPS602  Transformers\n"
        "    python3 -m pip install transformers\n"
    )


def test_where_nothing_can_be_recorded_nothing_is_made(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error says what is in the way and what to do."""
    (home.parent / "state").write_text("a file where a folder should be")

    assert ExitCode.FINDINGS is main.run([*FIX, "--yes"])

    told = capsys.readouterr().err
    assert "everything is as it was before" in told
    assert str(home.parent / "state") in told
    assert {} == snapshot(home)


def test_a_hot_folder_that_the_corrected_profile_names_is_not_taken_for_granted(
    home: Path, profile: Path
) -> None:
    """It was not examined; the one that was is not wanted."""
    profile.write_text('hot_folder = "~/elsewhere"\nwidth = \n')

    main.run(["check", "--fix", "--yes"])

    assert {"profile.toml", "profile.aside.toml"} == snapshot(home).keys()
