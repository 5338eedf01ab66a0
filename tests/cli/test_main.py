"""The command line as a whole."""

import subprocess
import sys

import click
import pytest

from mpsdoctor.cli import main
from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError
from tests.support.help_text import HELP, commands, help_text


def test_help_is_instant() -> None:
    """Showing help imports nothing that takes long, and names every command."""
    program = (
        "import sys\n"
        "from mpsdoctor.cli.main import run\n"
        "run(['--help'])\n"
        "heavy = {'torch', 'pydantic_settings', 'pydantic', 'watchdog', 'diffusers', 'numpy'}\n"
        "sys.exit(f'imported {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)\n"
    )

    shown = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "" == shown.stderr
    assert 0 == shown.returncode
    help_of_all = HELP.read_text("utf-8").partition("$ mpsdoctor check")[0]
    assert ["$", "mpsdoctor", "--help", *shown.stdout.split()] == help_of_all.split()


def test_the_help_of_every_command_is_as_it_was_read() -> None:
    """Word for word, on a terminal of 80 columns; `doctor` is `check`."""
    assert HELP.read_text("utf-8") == help_text()
    assert {"doctor", *(names[0] for names in commands() if names)} == main.COMMANDS.keys()
    assert main.COMMANDS["doctor"] == main.COMMANDS["check"]


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (
            MpsDoctorError("No [GPU]", detail="d\ne", hint="Do this"),
            ExitCode.FINDINGS,
            "Error: No [GPU]\n  d\n  e\n  Do this\n",
        ),
        (
            MpsDoctorError("Bug", exit_code=ExitCode.INTERNAL),
            ExitCode.INTERNAL,
            "Error: Bug\n",
        ),
        (MpsDoctorError("a " * 200, hint="x"), ExitCode.FINDINGS, f"Error: {'a ' * 200}\n  x\n"),
        (
            click.UsageError("no such thing"),
            ExitCode.USAGE,
            "Usage: mpsdoctor anything [OPTIONS]\n"
            "Try 'mpsdoctor anything --help' for help.\n\nError: no such thing\n",
        ),
        (click.FileError("f", "gone"), ExitCode.USAGE, "Error: Could not open file 'f': gone\n"),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, "\nInterrupted.\n"),
        (click.Abort(), ExitCode.INTERRUPTED, "Interrupted.\n"),
    ],
)
def test_every_way_to_end_has_its_exit_code(
    raised: BaseException,
    code: ExitCode,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Errors, usage errors and interrupts are told apart, on stderr and by the code."""
    ends_with(monkeypatch, raised)

    assert code is main.run(["anything"])
    assert ("", told) == capsys.readouterr()


def test_a_bug_is_shown_with_the_lines_to_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The traceback comes first, then what to do with it."""
    ends_with(monkeypatch, ZeroDivisionError("x [y]"))

    assert ExitCode.INTERNAL is main.run(["anything"])

    shown = capsys.readouterr()
    assert "" == shown.out
    assert shown.err.startswith("Traceback (most recent call last):\n")
    assert shown.err.splitlines()[-4:] == [
        "ZeroDivisionError: x [y]",
        "Error: mpsdoctor itself failed",
        "  ZeroDivisionError: x [y]",
        "  This is a bug: please report it with the lines above.",
    ]


@pytest.mark.parametrize("code", [None, ExitCode.OK, ExitCode.FINDINGS])
def test_a_command_ends_the_process_with_its_own_code(
    code: ExitCode | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one, with 0."""
    monkeypatch.setattr(
        main.mpsdoctor, "get_command", lambda *_: click.Command("c", callback=lambda: code)
    )

    with pytest.raises(SystemExit) as ended:
        main.main(["anything"])

    assert (code or ExitCode.OK) is ended.value.code


def ends_with(monkeypatch: pytest.MonkeyPatch, raised: BaseException) -> None:
    """Every command ends with this exception."""

    @click.command()
    def command() -> None:
        raise raised

    monkeypatch.setattr(main.mpsdoctor, "get_command", lambda context, name: command)


def test_what_a_terminal_cannot_write_is_a_question_mark() -> None:
    """One of Latin-1, say; what it can write it gets."""
    shown = subprocess.run(
        [sys.executable, "-m", "mpsdoctor", "profile", "path"],
        env={"PYTHONIOENCODING": "latin-1", "MPSDOCTOR_PROFILE_FILE": "/赤/ü.toml"},
        capture_output=True,
        check=False,
    )
    assert (b"/?/\xfc.toml\n", b"", 0) == (shown.stdout, shown.stderr, shown.returncode)


@pytest.mark.parametrize(
    ("arguments", "usage", "error"),
    [
        (["chekc"], "[OPTIONS] COMMAND [ARGS]...", "No such command 'chekc'."),
        (
            ["check", "--quik"],
            "check [OPTIONS]",
            "No such option '--quik'. Did you mean '--quick'?",
        ),
        (["render"], "render [OPTIONS] PROMPT", "Missing argument 'PROMPT'."),
        (
            ["render", "a", "--seed", "-1"],
            "render [OPTIONS] PROMPT",
            "Invalid value for '--seed': -1 is not in the range 0<=x<=4294967295.",
        ),
        (
            ["status", "--format", "xml"],
            "status [OPTIONS]",
            "Invalid value for '--format': 'xml' is not one of 'text', 'json'.",
        ),
        (
            ["service", "logs", "-n", "-5"],
            "service logs [OPTIONS]",
            "Invalid value for '-n' / '--lines': -5 is not in the range x>=0.",
        ),
        (
            ["tune", "--rounds", "9"],
            "tune [OPTIONS] [MODEL]",
            "Invalid value for '--rounds': 9 is not in the range 10<=x<=100.",
        ),
        (
            ["plan", "shapes", "--size", "1024"],
            "plan [OPTIONS] MODEL",
            "Invalid value for '--size': '1024' is not a size such as 1024x768.",
        ),
    ],
)
def test_a_usage_error_names_the_word_and_the_help(
    arguments: list[str], usage: str, error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command or option that does not exist, a missing argument, a value out of range."""
    assert ExitCode.USAGE is main.run(arguments)

    name = f"mpsdoctor {usage}".partition(" [")[0]
    assert capsys.readouterr() == (
        "",
        f"Usage: mpsdoctor {usage}\nTry '{name} --help' for help.\n\nError: {error}\n",
    )
