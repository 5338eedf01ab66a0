"""The reasons not to install an agent."""

from dataclasses import replace
from pathlib import Path

import pytest

from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.agent import Context
from mpsdoctor.facts.records import Place
from mpsdoctor.service import preconditions
from mpsdoctor.service.heartbeat import Heartbeat
from mpsdoctor.service.preconditions import Caller
from tests.support.mac import Mac

HOME = Path("/Users/jo")
MOVE = "Make the environment elsewhere, such as in ~/mpsdoctor-env, and install from there."
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


NOT_ROOT = (
    "The agent belongs to a user, not to root\n"
    "sudo would install it for root, who never logs in at the screen, and make root the owner of "
    "your files.\n"
    "Run the command without sudo."
)


@pytest.mark.parametrize(
    ("caller", "error"),
    [
        (
            replace(GOOD, kernel="Linux", euid=0),
            "There is no launchd here\n"
            "`mpsdoctor service` is for macOS; this is Linux.\n"
            "Run the daemon in a terminal instead: mpsdoctor watch (systemd or tmux can keep it "
            "running)",
        ),
        (replace(GOOD, euid=0), NOT_ROOT),
        (replace(GOOD, environ={"SUDO_UID": "501"}), NOT_ROOT),
    ],
)
def test_it_is_refused_to_other_systems_and_to_root(caller: Caller, error: str) -> None:
    """That is a usage error."""
    with pytest.raises(MpsDoctorError) as refused:
        preconditions.refuse_elsewhere(caller)

    assert (str(refused.value), refused.value.exit_code) == (error, ExitCode.USAGE)


def closed(what: str, path: Path, place: Place) -> str:
    return (
        f"{what} is in a place that macOS closes to background programs\n"
        f"{path} is in: {place.value}. Your terminal may read it, an agent may not.\n{MOVE}"
    )


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (HOME / "Desktop/env/bin/python", Place.USER_FOLDER),
        (HOME / "Documents/env/bin/python", Place.USER_FOLDER),
        (HOME / "Downloads/env/bin/python", Place.USER_FOLDER),
        (HOME / "Library/Mobile Documents/env/bin/python", Place.CLOUD),
        (Path("/Volumes/ssd/env/bin/python"), Place.EXTERNAL),
    ],
)
def test_python_and_package_have_to_be_where_launchd_may_read(path: Path, place: Place) -> None:
    """Either of them in a protected place is refused, with the place's name."""
    for what, caller in (
        ("This Python", replace(GOOD, python=path)),
        ("mpsdoctor itself", replace(GOOD, package=path)),
    ):
        with pytest.raises(MpsDoctorError) as refused:
            preconditions.refuse_interpreter(caller)
        assert str(refused.value) == closed(what, path, place)
        assert refused.value.exit_code is ExitCode.FINDINGS


def test_a_python_under_rosetta_is_refused() -> None:
    """It has no mps device; if nobody knows the chip, it is not refused."""
    with pytest.raises(MpsDoctorError) as refused:
        preconditions.refuse_interpreter(replace(GOOD, machine="x86_64"))

    assert str(refused.value) == (
        "This Python runs under Rosetta\n"
        f"{GOOD.python} is for Intel; it has no mps device on Apple silicon.\n"
        "Make an environment with a Python for Apple silicon: mpsdoctor explain MPS201"
    )
    preconditions.refuse_interpreter(replace(GOOD, machine="x86_64", chip_is_arm=None))


def test_an_intel_mac_may_use_an_intel_python() -> None:
    """There is no Rosetta on it; only its place can be a reason to refuse it."""
    intel = replace(GOOD, machine="x86_64", chip_is_arm=False)
    preconditions.refuse_interpreter(intel)

    with pytest.raises(MpsDoctorError, match="This Python is in a place"):
        preconditions.refuse_interpreter(replace(intel, python=HOME / "Desktop/bin/python"))


def test_a_link_into_a_protected_folder_is_seen_through(tmp_path: Path) -> None:
    """An environment may be reached by a link from elsewhere."""
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
    mac.change(fail=[["print", code, 2]])
    error = (
        "There is no login session for the agent\n"
        "An agent can use the GPU and your folders only in a session at the Mac's screen. This "
        "user is not logged in there.{ssh}\n"
        "Log in at the screen, or with Screen Sharing, then run the command again. With automatic "
        "login the agent starts after every restart. Until then: mpsdoctor watch"
    )

    with pytest.raises(MpsDoctorError) as refused:
        preconditions.refuse_session(mac.launchctl.session(), {"SSH_CONNECTION": "::1 22 ::1 22"})
    assert str(refused.value) == error.format(ssh=" You are connected over ssh.")

    with pytest.raises(MpsDoctorError) as refused:
        preconditions.refuse_session(mac.launchctl.session(), {})
    assert str(refused.value) == error.format(ssh="")


def test_a_launchctl_that_does_not_work_is_not_a_missing_session(mac: Mac) -> None:
    """The error is that of its code."""
    mac.change(fail=[["print", 150, 1]])

    with pytest.raises(MpsDoctorError) as refused:
        preconditions.refuse_session(mac.launchctl.session(), {})

    assert refused.value.title == (
        "launchctl print failed: System Integrity Protection guards the agent's label"
    )


def test_two_daemons_never_share_a_hot_folder() -> None:
    """One that was started by hand is named, with what to do."""
    for job_pid in (43, None):
        with pytest.raises(MpsDoctorError) as refused:
            preconditions.refuse_rival(Heartbeat(42, 1.0), job_pid, HOME)
        assert str(refused.value) == (
            f"Another mpsdoctor watch (process 42) already watches {HOME}\n"
            "The agent's daemon cannot use the same folder.\n"
            "Stop the other one first, with control-C in its terminal."
        )


@pytest.mark.parametrize(
    ("folder", "failures"),
    [
        ({"read": "EPERM"}, "read: EPERM"),
        ({"list": "EPERM", "write": "no answer"}, "list: EPERM, write: no answer"),
    ],
)
def test_a_hot_folder_that_the_agent_may_not_use_is_refused(
    folder: dict[str, str], failures: str
) -> None:
    """The agent's own process found out; the program to allow is named."""
    seen = Context(program="/opt/python3.12", folder=folder)
    with pytest.raises(MpsDoctorError) as refused:
        preconditions.refuse_hot_folder(seen, HOME / "hot", HOME)

    assert str(refused.value) == (
        f"The agent may not use {HOME}/hot\n"
        f"Started by launchd, mpsdoctor fails there with {failures}. The same may work in your "
        "terminal.\n"
        "Choose another with hot_folder in the profile, such as ~/mpsdoctor. Or add this program "
        "in System Settings > Privacy & Security > Full Disk Access, and again after each update "
        "of Python: /opt/python3.12"
    )


@pytest.mark.parametrize("context", [None, Context(program="python", folder=None)])
def test_if_nobody_knows_what_the_agent_may_do_the_place_decides(context: Context | None) -> None:
    """A protected folder is refused; for an ordinary one the user is told, and it continues."""
    with pytest.raises(MpsDoctorError) as refused:
        preconditions.refuse_hot_folder(context, HOME / "Documents/prompts", HOME)

    assert str(refused.value) == (
        f"The agent may not be able to use {HOME}/Documents/prompts\n"
        f"It is in: {Place.USER_FOLDER.value}. mpsdoctor cannot find out what the agent may do "
        "there.\n"
        "Choose another with hot_folder in the profile, such as ~/mpsdoctor."
    )
    assert preconditions.refuse_hot_folder(context, HOME / "mpsdoctor", HOME) == (
        "Could not find out whether the agent may use the hot folder; continuing."
    )


def test_a_protected_folder_that_the_user_has_allowed_is_not_refused() -> None:
    """Full Disk Access was given: the agent's process shows it."""
    allowed = Context(program="python", folder={})

    assert preconditions.refuse_hot_folder(allowed, HOME / "Documents/prompts", HOME) is None
