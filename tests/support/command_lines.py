"""What documents and workflows type, held against the commands that there are."""

import re
import shlex

import click

from mpsdoctor.cli.main import mpsdoctor


def typed(text: str) -> list[str]:
    """The lines of `text` that call mpsdoctor, each up to what the shell does with its answer."""
    return re.findall(r"^ *(?:\w+/bin/)?(mpsdoctor [^|&;\n]*)", text, re.MULTILINE)


def parse(line: str) -> None:
    """Parses the line as mpsdoctor would, without running it; raises click.UsageError."""
    _, *words = shlex.split(line, comments=True)
    command: click.Command = mpsdoctor
    name = ""
    while isinstance(command, click.Group):
        name, *words = words or [""]
        if any(name in parameter.opts for parameter in command.params):
            return
        found = command.get_command(click.Context(command), name)
        if found is None:
            raise click.UsageError(f"{line}: there is no {name or 'command'}")
        command = found
    command.make_context(name, words)
