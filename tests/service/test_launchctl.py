"""Reading what launchctl prints."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.facts.agent import Job
from mpsdoctor.service import exit_reasons, launchctl_errors
from mpsdoctor.service.launchctl import parse_disabled, parse_job
from tests.support.mac import Mac

PRINTS = Path(__file__).parent / "prints"
RECORDED = {
    "macos-27.0-interactive-running": Job(
        state="running", pid=1076, runs=1, spawn_type="interactive"
    ),
    "macos-27.0-background-running": Job(
        state="running", pid=1082, runs=1, spawn_type="background"
    ),
    "macos-27.0-exited-with-1": Job(
        state="not running", runs=4, last_exit_code=1, spawn_type="daemon"
    ),
    "macos-27.0-never-run": Job(state="not running", runs=0, spawn_type="daemon"),
    "daemon-restarted-after-sigterm": Job(
        state="running", pid=35711, runs=2, last_signal="Terminated: 15", spawn_type="daemon"
    ),
    "pended-speculative": Job(state="not running", runs=0, pended="speculative"),
    "restarting-for-ever": Job(state="spawn scheduled", runs=2463, last_exit_code=1),
    "system-sshd-waiting": Job(state="not running", runs=0, spawn_type="interactive"),
}


@pytest.mark.parametrize("path", sorted(PRINTS.glob("*.txt")), ids=lambda path: path.stem)
def test_recorded_prints_are_read(path: Path) -> None:
    """The states, process ids and environments of nested blocks do not mislead."""
    assert RECORDED[path.stem] == parse_job(path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("line", "job"),
    [
        ("last exit code = 78: EX_CONFIG", Job(last_exit_code=78)),
        ("last exit code = (never exited)", Job()),
        ("last terminating signal = Killed: 9", Job(last_signal="Killed: 9")),
        (
            "last exit reason = OS_REASON_CODESIGNING",
            Job(last_exit_reason="OS_REASON_CODESIGNING"),
        ),
        ("pended nondemand spawn = inefficient", Job(pended="inefficient")),
        ("pended nondemand spawn = false", Job()),
        ("state = SIGTERMed", Job(state="SIGTERMed")),
        ("\tstate = active", Job()),
        ("environment = {\n\t\tpid = 1\n\t}", Job()),
    ],
)
def test_single_lines_are_read(line: str, job: Job) -> None:
    """Forms that were reported, one by one."""
    assert job == parse_job(f"gui/501/x = {{\n\t{line}\n}}\n")


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_is_read(text: str) -> None:
    """`print` is no interface: whatever it says, nothing is raised."""
    assert parse_job(text) is not None
    assert parse_disabled(text, "x") in (True, False)


@pytest.mark.parametrize(
    ("words", "disabled"),
    [("enabled", False), ("disabled", True), ("false", False), ("true", True)],
)
def test_what_is_switched_off_is_read_in_both_forms(words: str, disabled: bool) -> None:
    """Up to macOS 12 `true` means disabled. Another agent's switch does not count."""
    text = f'\n\tdisabled services = {{\n\t\t"x" => {words}\n\t\t"xy" => disabled\n\t}}\n'

    assert disabled is parse_disabled(text, "x")
    assert parse_disabled(text, "y") is False


def test_the_stand_in_prints_what_is_read(mac: Mac) -> None:
    """It has the form of a real print, with blocks that would mislead a careless reader."""
    mac.load(mac.plist(HF_HOME="/Volumes/x"))

    assert Job(state="running", pid=4001, runs=1, spawn_type="interactive") == mac.launchctl.job()


@pytest.mark.parametrize("code", sorted(launchctl_errors.CODES))
def test_every_known_code_has_words_and_a_next_step(mac: Mac, code: int) -> None:
    """And none of them is a number alone."""
    mac.change(fail=[["bootstrap", code, 1]])
    error = launchctl_errors.failure("bootstrap", mac.launchctl.bootstrap(mac.agent.plist))

    assert launchctl_errors.CODES[code].text in error.title
    assert launchctl_errors.CODES[code].hint == error.hint != ""
    assert f"exit code {code}" in error.detail


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (Job(), None),
        (Job(last_exit_code=0), "exit code 0 (it was told to stop)"),
        (Job(last_exit_code=1), "exit code 1 (it could not go on; its log says why)"),
        (Job(last_exit_code=99), "exit code 99"),
        (Job(last_exit_reason="OS_REASON_CODESIGNING"), "OS_REASON_CODESIGNING"),
        (
            Job(last_exit_code=0, last_signal="Killed: 9"),
            "Killed: 9 (macOS took its memory back, or it did not end in time, or somebody "
            "killed it)",
        ),
    ],
)
def test_the_last_end_is_said_in_words(job: Job, words: str | None) -> None:
    """A signal says more than the code that stands beside it."""
    assert words == exit_reasons.last_exit(job)
