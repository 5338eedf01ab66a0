"""Reading what launchctl prints."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.facts.agent import Job
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.service import exit_reasons, launchctl_errors
from mpsdoctor.service.agent import Agent
from mpsdoctor.service.launchctl import Launchctl, parse_disabled, parse_job
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
    """The output of `print` may change: whatever it says, nothing is raised."""
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


AGAIN = "Try again in a minute. If that does not help, log out and in again."
LOG_IN = (
    "Log in at the Mac's screen, or with Screen Sharing, as the same user, and run the command "
    "there. Or run `mpsdoctor watch` here."
)
WRITE_AGAIN = "Install the agent again: mpsdoctor service uninstall, then install."
ALLOW = "Allow mpsdoctor's Python in System Settings > General > Login Items & Extensions."
MEANINGS = {
    3: ("the agent is not loaded", "Load it: mpsdoctor service start"),
    5: (
        "launchd gives no reason; the agent may be disabled or still stopping, or there is no "
        "login session",
        f"{ALLOW} {AGAIN}",
    ),
    36: ("the agent is still stopping", AGAIN),
    37: ("the agent is already being loaded", "See: mpsdoctor service status"),
    99: ("unknown error", "See: launchctl error 99"),
    107: ("launchd finds no bundle there", WRITE_AGAIN),
    108: ("launchd does not accept the property list's path", WRITE_AGAIN),
    109: ("launchd does not understand the property list", WRITE_AGAIN),
    110: ("launchd does not accept the agent's label", WRITE_AGAIN),
    111: ("launchd does not accept the agent's program", WRITE_AGAIN),
    112: ("this user has no login session", LOG_IN),
    113: ("the agent is not loaded", "Load it: mpsdoctor service start"),
    119: ("the agent is disabled", ALLOW),
    122: (
        "launchd does not trust the property list: you do not own it, or others may write to it",
        "Correct that with chown $(id -un) and chmod 644, then: mpsdoctor service install",
    ),
    124: ("the login session is ending", "Log in again, then try again."),
    125: ("this user is not logged in at the screen", LOG_IN),
    134: ("the agent is not meant for this kind of session", LOG_IN),
    146: (
        "the login session starts nothing on its own at the moment",
        "Start it: mpsdoctor service start",
    ),
    150: ("System Integrity Protection guards the agent's label", AGAIN),
    155: (
        "the interpreter is quarantined",
        "Run xattr -d com.apple.quarantine PYTHON, or install Python with uv or Homebrew.",
    ),
}


@pytest.mark.parametrize("code", sorted({*MEANINGS, *launchctl_errors.CODES}))
def test_each_code_is_explained_with_the_next_step(code: int) -> None:
    """The error has what launchctl printed, on stderr or else on stdout."""
    text, hint = MEANINGS[code]
    for printed in (CommandResult(code, "x", " no\n"), CommandResult(code, "no\n", " ")):
        assert str(launchctl_errors.failure("bootstrap", printed)) == (
            f"launchctl bootstrap failed: {text}\nexit code {code}: no\n{hint}"
        )
    assert launchctl_errors.failure("enable", CommandResult(code, "", "")).detail == (
        f"exit code {code}"
    )


def test_the_page_names_the_same_codes() -> None:
    """docs/service.md has a row for each code, and no other."""
    page = (Path(__file__).parents[2] / "docs/service.md").read_text("utf-8")
    cells = re.findall(r"^\| ([\d, to]+) \| ", page, re.MULTILINE)
    numbers = [[int(number) for number in re.findall(r"\d+", cell)] for cell in cells]
    named = {
        code
        for cell, codes in zip(cells, numbers, strict=True)
        for code in (range(codes[0], codes[1] + 1) if "to" in cell else codes)
    }

    assert named == launchctl_errors.CODES.keys()


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (CommandResult(None, "", "", timed_out=True), "no answer"),
        (CommandResult(None, "", "No such file\n"), "No such file"),
    ],
)
def test_a_launchctl_that_cannot_be_run_is_an_error_with_its_reason(
    result: CommandResult, why: str
) -> None:
    """It hangs, or is not there."""
    assert str(launchctl_errors.failure("print", result)) == (
        f"launchctl print cannot be run: {why}\n"
        "Try again; `launchctl version` shows whether it works at all."
    )


def test_the_verbs_are_launchctls_own(mac: Mac) -> None:
    """Each with the session or the agent in it, and half a minute to answer."""
    asked: list[tuple[Sequence[str], float]] = []

    def run(argv: Sequence[str], seconds: float) -> CommandResult:
        asked.append((argv, seconds))
        return CommandResult(113 if argv[1] == "print" else 1, "")

    launchctl = Launchctl(run, Agent(mac.home, 501))
    assert launchctl.job() is None
    assert launchctl.is_disabled() is None
    launchctl.session()
    launchctl.enable()
    launchctl.bootstrap(Path("/a.plist"))
    launchctl.kickstart()
    launchctl.kill("SIGUSR1")
    launchctl.bootout()

    target = "gui/501/io.github.mpsdoctor.watch"
    assert asked == [
        (("/bin/launchctl", *words), 30.0)
        for words in (
            ("print", target),
            ("print-disabled", "gui/501"),
            ("print", "gui/501"),
            ("enable", target),
            ("bootstrap", "gui/501", "/a.plist"),
            ("kickstart", target),
            ("kill", "SIGUSR1", target),
            ("bootout", target),
        )
    ]


ENDS = {
    0: "it was told to stop",
    1: "an error; its log says which",
    2: "its command line was not valid; its log says why",
    3: "a bug in mpsdoctor; its log has the lines to report",
    78: "macOS could not start the interpreter",
    126: "the interpreter is not executable",
    127: "the interpreter does not exist",
}
KILLED = "macOS reclaimed its memory, or it did not stop in time, or somebody killed it"


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (Job(), None),
        *((Job(last_exit_code=code), f"exit code {code} ({why})") for code, why in ENDS.items()),
        (Job(last_exit_code=99), "exit code 99"),
        (
            Job(last_exit_code=0, last_exit_reason="OS_REASON_CODESIGNING"),
            "OS_REASON_CODESIGNING",
        ),
        (
            Job(last_exit_code=0, last_exit_reason="x", last_signal="Killed: 9"),
            f"Killed: 9 ({KILLED})",
        ),
        (Job(last_signal="Abort trap: 6"), "Abort trap: 6 (Metal or a library aborted)"),
        (Job(last_signal="Segmentation fault: 11"), "Segmentation fault: 11 (a library crashed)"),
        (
            Job(last_signal="Terminated: 15"),
            "Terminated: 15 (it was told to stop while it was starting)",
        ),
        (Job(last_signal="Trace trap: 5"), "Trace trap: 5"),
    ],
)
def test_the_last_exit_is_explained(job: Job, words: str | None) -> None:
    """A signal says more than a reason, and a reason more than the code beside it."""
    assert words == exit_reasons.last_exit(job)
