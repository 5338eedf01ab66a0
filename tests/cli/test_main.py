"""The command line as a whole."""

import subprocess
import sys

import click
import pytest

from mpsdoctor.cli import main
from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError


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
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert "" == shown.stderr
    assert 0 == shown.returncode
    assert all(f"\n  {name} " in shown.stdout for name in main.COMMANDS)


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_says_what_it_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`mpsdoctor COMMAND --help` works for each of them."""
    assert ExitCode.OK is main.run([name, "--help"])
    assert "Usage: mpsdoctor" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (MpsDoctorError("No GPU", detail="d", hint="Do this"), ExitCode.FINDINGS, "Do this"),
        (MpsDoctorError("Bug", exit_code=ExitCode.INTERNAL), ExitCode.INTERNAL, "Bug"),
        (click.UsageError("no such thing"), ExitCode.USAGE, "no such thing"),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, "Interrupted"),
        (ZeroDivisionError("x"), ExitCode.INTERNAL, "mpsdoctor itself failed"),
    ],
)
def test_every_way_to_end_has_its_exit_code(
    raised: BaseException,
    code: ExitCode,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Errors, misuse, interrupts and bugs are told apart, on stderr and by the code."""

    @click.command()
    def command() -> None:
        raise raised

    monkeypatch.setattr(main.mpsdoctor, "get_command", lambda context, name: command)

    assert code is main.run(["anything"])
    shown = capsys.readouterr()
    assert told in shown.err
    assert "" == shown.out


def test_what_a_terminal_cannot_write_is_a_question_mark() -> None:
    """One of Latin-1, say; what it can write it gets."""
    shown = subprocess.run(
        [sys.executable, "-m", "mpsdoctor", "profile", "path"],
        env={"PYTHONIOENCODING": "latin-1", "MPSDOCTOR_PROFILE_FILE": "/赤/ü.toml"},
        capture_output=True,
        check=False,
    )
    assert (b"/?/\xfc.toml\n", b"", 0) == (shown.stdout, shown.stderr, shown.returncode)


@pytest.mark.parametrize("arguments", [["chekc"], ["check", "--no-such-option"], ["render"]])
def test_misuse_ends_with_two(arguments: list[str]) -> None:
    """A command or option that does not exist, or an argument that is missing."""
    assert ExitCode.USAGE is main.run(arguments)
