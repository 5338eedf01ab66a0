"""`mpsdoctor service`, with a stand-in launchctl."""

import os
import platform
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mpsdoctor.cli import main
from mpsdoctor.cli.commands import service as cli
from mpsdoctor.constants import ExitCode
from mpsdoctor.doctor.examine import examine_machine
from mpsdoctor.facts import command
from mpsdoctor.paths import plans_folder
from mpsdoctor.profile.quick_settings import QuickSettings
from mpsdoctor.service import plist
from mpsdoctor.service.agent import WATCH
from tests.support.mac import Mac

pytestmark = pytest.mark.heavy

VERBS = ("install", "uninstall", "start", "stop", "restart", "status", "logs")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mac]:
    """A Mac whose user, number 501, types the commands; agents are real processes."""
    mac = Mac(tmp_path, spawn=True)
    monkeypatch.setattr(cli, "run", mac.run)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(os, "geteuid", lambda: 501)
    monkeypatch.setattr(os, "getuid", lambda: 501)
    for name in ("SUDO_UID", "HF_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(mac.home))
    monkeypatch.setenv("MPSDOCTOR_PROFILE_FILE", str(mac.home / "profile.toml"))
    monkeypatch.setenv("HF_TOKEN", "hf_abcdefghijklmnop")
    (mac.home / "profile.toml").write_text('device = "cpu"\ndtype = "float32"\n')
    yield mac
    mac.run(("/bin/launchctl", "bootout", mac.agent.target), 10.0)
    for job in mac.world["jobs"].values():
        if job["pid"] and psutil.pid_exists(job["pid"]):
            psutil.Process(job["pid"]).wait(30)


def test_a_user_installs_uses_and_removes_the_agent(
    own: Mac, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command in the order of a user's life with it; nothing but the hot folder stays."""
    assert ExitCode.FINDINGS is main.run(["service", "status"])
    assert [("agent", "not installed"), ("next", "mpsdoctor service install")] == rows(capsys)[:2]

    assert ExitCode.OK is main.run(["service", "install"])
    assert capsys.readouterr() == (
        f"Installed; the daemon watches {own.home}/mpsdoctor/inbox\n",
        f"Its log: {own.agent.log}. To remove it: mpsdoctor service uninstall\n",
    )
    content = own.agent.plist.read_bytes()
    assert sys.executable == plist.interpreter(content)
    assert b"hf_abc" not in content
    assert str(own.home / "profile.toml") == plist.variables(content)["MPSDOCTOR_PROFILE_FILE"]

    own.calls()
    assert ExitCode.OK is main.run(["service", "install"])
    assert [] == own.calls()
    assert capsys.readouterr() == (
        f"The agent is installed and running; the daemon watches {own.home}/mpsdoctor/inbox\n",
        "",
    )

    assert ExitCode.OK is main.run(["service", "status"])
    shown = dict(rows(capsys))
    assert re.fullmatch(r"\d+, since \d{4}-\d\d-\d\d \d\d:\d\d", shown.pop("process"))
    assert shown == {
        "agent": "running",
        "restarts": "0",
        "last exit": "none",
        "hot folder": f"{own.home}/mpsdoctor",
        "worker": "none; the next prompt starts one",
        "waiting": "0",
        "in work": "0",
        "done": "0, 0 pictures",
        "failed": "0",
        "log": str(own.agent.log),
        "property list": str(own.agent.plist),
        "Python": sys.executable,
    }

    assert ExitCode.OK is main.run(["service", "logs"])
    assert f"Watching {own.home}/mpsdoctor/inbox\n" in capsys.readouterr().out
    assert ExitCode.OK is main.run(["service", "stop"])
    capsys.readouterr()
    assert ExitCode.FINDINGS is main.run(["service", "status"])
    stopped = [("agent", "installed, but not loaded"), ("next", "mpsdoctor service start")]
    assert stopped == rows(capsys)[:2]
    assert ExitCode.OK is main.run(["service", "start"])
    assert ("The daemon is running.\n", "") == capsys.readouterr()

    assert ExitCode.OK is main.run(["service", "uninstall"])
    assert WATCH not in own.world["jobs"]
    left = {str(path.relative_to(own.home)) for path in own.home.rglob("*") if path.is_file()}
    assert {"profile.toml"} == {name for name in left if not name.startswith("mpsdoctor/")}
    capsys.readouterr()
    assert ExitCode.OK is main.run(["service", "uninstall"])
    assert "The agent is not installed.\n" == capsys.readouterr().out


def rows(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """The page of `service status`, by its labels."""
    lines = capsys.readouterr().out.splitlines()
    return [
        (name, value) for name, value in (re.split(r" {2,}", line, maxsplit=1) for line in lines)
    ]


def test_what_was_chosen_at_the_first_install_stays(own: Mac) -> None:
    """An install that repairs keeps --dir and --profile, as absolute paths."""
    folder, profile = own.home / "prompts", own.home / "profile.toml"
    own.put(
        plist.render(
            own.agent,
            "/gone/python",
            ("--dir", str(folder), "--profile", str(profile)),
            {},
            "0",
            b"",
        )
    )

    assert ExitCode.OK is main.run(["service", "install", "--now"])

    content = own.agent.plist.read_bytes()
    assert ("--dir", str(folder), "--profile", str(profile)) == plist.arguments(content)
    assert sys.executable == plist.interpreter(content)
    assert (folder / "inbox").is_dir()


def test_an_install_takes_what_has_changed_and_leaves_no_prompt_unsaid(
    own: Mac, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another profile and hot folder are seen by `check`; the old daemon ends in the old folder.

    Until then it is well where it is. Places are the terminal's, also where they are relative.
    """
    monkeypatch.setattr(command, "run", own.run)
    monkeypatch.chdir(own.home)
    monkeypatch.setenv("MPSDOCTOR_PROFILE_FILE", "profile.toml")
    monkeypatch.setenv("MPSDOCTOR_HOT_FOLDER", "old")
    assert ExitCode.OK is main.run(["service", "install"])
    assert () == changes()
    (own.home / "old/.work/cut-off").mkdir()

    (own.home / "profile.toml").write_text('device = "cpu"\nnum_inference_steps = 3\n')
    assert ("profile",) == changes()
    monkeypatch.setenv("MPSDOCTOR_HOT_FOLDER", "new")
    assert ("profile", "EnvironmentVariables.MPSDOCTOR_HOT_FOLDER") == changes()
    assert ExitCode.OK is main.run(["service", "status"])
    assert str(own.home / "old") in capsys.readouterr().out
    own.calls()

    assert ExitCode.OK is main.run(["service", "install"])

    assert ["kill", "bootout", "enable", "bootstrap"] == own.calls()[-4:]
    captured = capsys.readouterr()
    assert str(own.home / "new/inbox") in captured.out
    assert captured.err.splitlines()[-2:] == [
        f"Prompts left in {own.home / 'old'}: 1. To render them:",
        f"  mpsdoctor watch --dir {own.home / 'old'}",
    ]
    assert () == changes()
    (own.home / "profile.toml").write_text("no [toml")
    assert ExitCode.OK is main.run(["service", "status"])


def changes() -> tuple[str, ...] | None:
    """What `mpsdoctor check` says that an install would change."""
    agent = examine_machine(QuickSettings(), quick=True).facts.agent
    return agent.changes if agent else None


@pytest.mark.parametrize(
    ("installed", "disabled", "then"),
    [
        (False, [], "No agent is installed that would start it."),
        (True, [], "It starts again at the next login."),
        (True, [WATCH], "Its agent is disabled, so it does not start at the next login."),
    ],
)
def test_stop_says_what_the_next_login_does(
    own: Mac, installed: bool, disabled: list[str], then: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only an agent that is installed and enabled comes back."""
    if installed:
        own.put(own.plist())
    own.change(disabled=disabled)

    assert ExitCode.OK is main.run(["service", "stop"])

    assert (f"The daemon is stopped. {then}\n", "") == capsys.readouterr()


def test_the_log_needs_no_login_session(own: Mac, capsys: pytest.CaptureFixture[str]) -> None:
    """Over ssh, after the Mac has restarted; an empty log and the output of a crash are named."""
    own.change(session=False)
    assert ExitCode.OK is main.run(["service", "logs"])
    assert ("", f"There is nothing in {own.agent.log}\n") == capsys.readouterr()
    own.agent.logs.mkdir(parents=True)
    own.agent.log.write_text("first\nlast\n")

    assert ExitCode.OK is main.run(["service", "logs", "-n", "1"])
    assert ("last\n", "") == capsys.readouterr()
    own.agent.stderr_log.write_text("Traceback\n")
    assert ExitCode.OK is main.run(["service", "logs", "-n", "1"])
    assert ("last\n", f"Output of crashes: {own.agent.stderr_log}\n") == capsys.readouterr()
    assert ExitCode.OK is main.run(["service", "logs", "-n", "0"])
    assert capsys.readouterr() == (
        "",
        f"There is nothing in {own.agent.log}\nOutput of crashes: {own.agent.stderr_log}\n",
    )


def test_uninstall_says_what_is_gone_and_what_it_could_not_remove(
    own: Mac, capsys: pytest.CaptureFixture[str]
) -> None:
    """A link goes without what it leads to; a folder that stays is named, with the next step."""
    own.put(own.plist())
    own.agent.logs.mkdir(parents=True)
    for name in ("daemon.log.1", "watch.stderr.log", "watch.log"):  # the last by older releases
        (own.agent.logs / name).touch()
    cache, elsewhere = plans_folder().parent, own.home / "elsewhere"
    elsewhere.mkdir()
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.symlink_to(elsewhere)

    assert ExitCode.OK is main.run(["service", "uninstall"])
    assert capsys.readouterr() == (
        "".join(f"Removed {path}\n" for path in (own.agent.plist, own.agent.logs, cache))
        + "The agent is not installed.\n",
        f"Kept: your hot folder, the profile ({own.home / 'profile.toml'}), and {sys.prefix}\n",
    )
    assert elsewhere.is_dir()
    assert not cache.is_symlink()

    own.agent.logs.mkdir()
    cache.write_text("no folder")
    assert ExitCode.FINDINGS is main.run(["service", "uninstall"])
    captured = capsys.readouterr()
    assert f"Removed {own.agent.logs}\n" == captured.out
    assert captured.err.startswith(f"Error: {cache} cannot be removed\n")
    assert captured.err.endswith(
        f"  See why (ls -le {cache}), fix it, then: mpsdoctor service uninstall\n"
    )


def test_without_a_profile_nothing_is_installed(
    own: Mac, capsys: pytest.CaptureFixture[str]
) -> None:
    """The daemon would stop at once; so it is with an invalid profile."""
    profile = own.home / "profile.toml"
    for content, title in (
        ("no [toml", "The profile is not valid TOML"),
        (None, "There is no profile yet"),
    ):
        profile.unlink() if content is None else profile.write_text(content)

        assert ExitCode.FINDINGS is main.run(["service", "install"])

        shown = capsys.readouterr()
        assert ("", f"Error: {title}") == (shown.out, shown.err.splitlines()[0])
        assert not own.agent.plist.exists()
        assert [] == own.calls()


def test_an_environment_that_launchd_may_not_read_is_refused(
    own: Mac, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is asked or written."""
    monkeypatch.setattr(sys, "executable", str(own.home / "Desktop/env/bin/python"))

    assert ExitCode.FINDINGS is main.run(["service", "install"])

    shown = capsys.readouterr()
    title = "Error: This Python is in a place that macOS closes to background programs"
    assert ("", title) == (shown.out, shown.err.splitlines()[0])
    assert [] == own.calls()
    assert ["profile.toml"] == [path.name for path in own.home.iterdir()]


@pytest.mark.parametrize("verb", VERBS)
def test_away_from_a_mac_each_verb_says_what_to_run(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of launchd's is looked for."""
    monkeypatch.setattr(platform, "system", lambda: "Linux")

    assert ExitCode.USAGE is main.run(["service", verb])

    assert capsys.readouterr() == (
        "",
        "Error: There is no launchd here\n"
        "  `mpsdoctor service` is for macOS; this is Linux.\n"
        "  Run the daemon in a terminal instead: mpsdoctor watch (systemd or tmux can keep it "
        "running)\n",
    )


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "logs"])
def test_without_a_login_session_each_verb_says_so(
    own: Mac, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over ssh, and nothing is written."""
    own.change(session=False)

    assert ExitCode.FINDINGS is main.run(["service", verb])

    shown = capsys.readouterr()
    assert ("", "Error: There is no login session for the agent") == (
        shown.out,
        shown.err.splitlines()[0],
    )
    assert [] == own.calls()
    assert ["profile.toml"] == [path.name for path in own.home.iterdir()]


def test_status_looks_where_the_agents_daemon_does(
    own: Mac, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not where this terminal's variables would send a daemon."""
    own.put(own.plist(MPSDOCTOR_HOT_FOLDER="/prompts"))
    monkeypatch.setenv("MPSDOCTOR_HOT_FOLDER", "/elsewhere")

    main.run(["service", "status"])

    assert "/prompts" in capsys.readouterr().out
