"""Write the help that tests/cli/test_main.py compares: `python -m tests.support.help_text`.

Run it after a change to a command, and read the difference before you commit it.
"""

from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from mpsdoctor.cli.main import mpsdoctor

HELP = Path(__file__).parents[1] / "cli" / "help.txt"
_WIDTH = 80


def commands(command: click.Command = mpsdoctor, *names: str) -> Iterator[tuple[str, ...]]:
    """Every command and subcommand, as it is typed."""
    yield names
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner
            yield from commands(inner, *names, name)


def help_text() -> str:
    """What `--help` prints for each of them, on a terminal of 80 columns."""
    parts = (_help(names) for names in commands() if names != ("doctor",))
    return "\n".join(parts)


def _help(names: tuple[str, ...]) -> str:
    arguments = [*names, "--help"]
    asked = CliRunner().invoke(
        mpsdoctor, arguments, prog_name="mpsdoctor", max_content_width=_WIDTH, terminal_width=_WIDTH
    )
    assert asked.exit_code == 0, asked.output
    return f"$ mpsdoctor {' '.join(arguments)}\n{asked.output}"


if __name__ == "__main__":
    HELP.write_text(help_text(), "utf-8")
