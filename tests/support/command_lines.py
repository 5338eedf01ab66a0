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
    context = click.Context(command, info_name="mpsdoctor", **command.context_settings)
    name = ""
    while isinstance(command, click.Group):
        name, *words = words or [""]
        if any(name in parameter.opts for parameter in command.params):
            return
        found = command.get_command(context, name)
        if found is None:
            raise click.UsageError(f"{line}: there is no {name or 'command'}")
        command = found
    # With the parent: click keeps a command's help option from the first time it is asked for.
    command.make_context(name, words, parent=context)
