"""What an agent is refused for."""

from dataclasses import replace
from pathlib import Path

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.agent import Context
from mpsdoctor.service import preconditions
from mpsdoctor.service.heartbeat import Heartbeat
from mpsdoctor.service.preconditions import Caller
from tests.support.mac import Mac

HOME = Path("/Users/jo")
MOVE = "somewhere else"
GOOD = Caller(
    kernel="Darwin",
    euid=501,
    environ={},
    machine="arm64",
    chip_is_arm=True,
    home=HOME,
    python=HOME / "env/bin/python",
    package=HOME / "env/lib/mpsdoctor/__init__.py",
)


def test_a_user_on_a_mac_is_refused_nothing(mac: Mac) -> None:
    """A native Python outside the protected folders, in a login session."""
    preconditions.refuse_elsewhere(GOOD)
    preconditions.refuse_interpreter(GOOD)
    preconditions.refuse_session(mac.launchctl.session(), {})
    preconditions.refuse_rival(Heartbeat(), None, HOME)
    preconditions.refuse_rival(Heartbeat(42), 42, HOME)
    seen = Context(program="python", folder={})
    assert preconditions.refuse_hot_folder(seen, HOME / "mpsdoctor", HOME) is None


@pytest.mark.parametrize(
    ("caller", "words"),
    [
        (replace(GOOD, kernel="Linux"), "mpsdoctor watch"),
        (replace(GOOD, euid=0), "without sudo"),
        (replace(GOOD, environ={"SUDO_UID": "501"}), "without sudo"),
        (replace(GOOD, machine="x86_64"), "MPS201"),
        (replace(GOOD, python=HOME / "Desktop/env/bin/python"), MOVE),
        (replace(GOOD, python=HOME / "Documents/env/bin/python"), MOVE),
        (replace(GOOD, python=Path("/Volumes/ssd/env/bin/python")), MOVE),
        (
            replace(GOOD, python=HOME / "Library/Mobile Documents/env/bin/python"),
            MOVE,
        ),
        (replace(GOOD, package=HOME / "Downloads/mpsdoctor/__init__.py"), MOVE),
    ],
)
def test_each_refusal_says_why_and_the_way_out(caller: Caller, words: str) -> None:
    """No Mac, root, Rosetta, and places that launchd's processes are kept out of."""
    refuse = (
        preconditions.refuse_interpreter
        if words in ("MPS201", MOVE)
        else preconditions.refuse_elsewhere
    )
    with pytest.raises(MpsDoctorError) as refused:
        refuse(caller)

    assert refused.value.detail
    assert words in refused.value.hint


def test_an_intel_mac_may_use_an_intel_python() -> None:
    """There is no Rosetta on it."""
    preconditions.refuse_interpreter(replace(GOOD, machine="x86_64", chip_is_arm=False))


def test_a_link_into_a_protected_folder_is_seen_through(tmp_path: Path) -> None:
    """An environment may be reached by a link that lies elsewhere."""
    real = tmp_path / "Documents/env/bin"
    real.mkdir(parents=True)
    (tmp_path / "env").symlink_to(tmp_path / "Documents/env")

    with pytest.raises(MpsDoctorError, match="background programs"):
        preconditions.refuse_interpreter(
            replace(GOOD, home=tmp_path, python=tmp_path / "env/bin/python")
        )


@pytest.mark.parametrize("code", [112, 125])
def test_without_a_login_session_there_is_nothing_to_install_into(mac: Mac, code: int) -> None:
    """Over ssh, before anybody has logged in at the screen."""
    mac.change(fail=[["print", code, 1]])

    with pytest.raises(MpsDoctorError, match="no login session") as refused:
        preconditions.refuse_session(mac.launchctl.session(), {"SSH_CONNECTION": "::1 22 ::1 22"})

    assert "ssh" in refused.value.detail
    assert "mpsdoctor watch" in refused.value.hint


def test_a_launchctl_that_does_not_work_is_no_missing_session(mac: Mac) -> None:
    """Its code is what is said then."""
    mac.change(fail=[["print", 150, 1]])

    with pytest.raises(MpsDoctorError, match="System Integrity Protection"):
        preconditions.refuse_session(mac.launchctl.session(), {})


def test_two_daemons_never_share_a_hot_folder() -> None:
    """One that was started by hand is named, with what to do."""
    with pytest.raises(MpsDoctorError, match="process 42"):
        preconditions.refuse_rival(Heartbeat(42, 1.0), 43, HOME)


@pytest.mark.parametrize(
    ("context", "folder", "words"),
    [
        (Context(program="/opt/python3.12", folder={"read": "EPERM"}), "mpsdoctor", "EPERM"),
        (Context(program="/opt/python3.12", folder={"list": "no answer"}), "x", "no answer"),
        (None, "Documents/prompts", "cannot be found out"),
    ],
)
def test_a_hot_folder_that_the_agent_may_not_use_is_refused(
    context: Context | None, folder: str, words: str
) -> None:
    """By what the agent's own process found; where nobody knows, by the place."""
    with pytest.raises(MpsDoctorError) as refused:
        preconditions.refuse_hot_folder(context, HOME / folder, HOME)

    assert words in refused.value.detail
    if context:
        assert context.program in refused.value.hint


def test_a_protected_folder_that_the_user_has_allowed_is_not_refused() -> None:
    """Full Disk Access was given: the agent's process shows it."""
    allowed = Context(program="python", folder={})

    assert preconditions.refuse_hot_folder(allowed, HOME / "Documents/prompts", HOME) is None


def test_where_nobody_knows_and_the_place_is_ordinary_it_goes_on() -> None:
    """With a word to the user."""
    assert preconditions.refuse_hot_folder(None, HOME / "mpsdoctor", HOME)
