"""`mpsdoctor`: one module per command, and one place that turns errors into exit codes."""

import importlib
import sys
import traceback
from collections.abc import Sequence

import click

from mpsdoctor.cli import output
from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.version import __version__

COMMANDS = {
    "check": "mpsdoctor.cli.commands.check",
    "doctor": "mpsdoctor.cli.commands.check",
    "explain": "mpsdoctor.cli.commands.explain",
    "profile": "mpsdoctor.cli.commands.profile",
    "tune": "mpsdoctor.cli.commands.tune",
    "pull": "mpsdoctor.cli.commands.pull",
    "render": "mpsdoctor.cli.commands.render",
    "watch": "mpsdoctor.cli.commands.watch",
    "status": "mpsdoctor.cli.commands.status",
    "service": "mpsdoctor.cli.commands.service",
    "plan": "mpsdoctor.cli.commands.plan",
    "bugreport": "mpsdoctor.cli.commands.bugreport",
    "demo": "mpsdoctor.cli.commands.demo",
}
"""The module of each command, which is imported only when it is needed."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name]).command
        return command


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mpsdoctor")
def mpsdoctor() -> None:
    """Check a Mac for PyTorch's mps device, tune Diffusers for it, render from a hot folder."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and exits with its code."""
    output.replace_unencodable()
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> ExitCode:
    """Runs one command and turns every way it can end into an exit code.

    click itself would exit with 1 after an interrupt or a bug, which here means findings.
    """
    try:
        code = mpsdoctor.main(arguments, prog_name="mpsdoctor", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except MpsDoctorError as error:
        output.show_error(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        output.tell("Interrupted.")
        return ExitCode.INTERRUPTED
    except Exception as error:
        output.tell(traceback.format_exc().rstrip())
        output.show_error(
            MpsDoctorError(
                "mpsdoctor itself failed",
                detail=f"{type(error).__name__}: {error}",
                hint="This is a bug: please report it with the lines above.",
            )
        )
        return ExitCode.INTERNAL
    return ExitCode(code or 0)
