"""`mpsdoctor bugreport`: writes a redacted report to complete and send."""

import os
from pathlib import Path

import click

from mpsdoctor.cli import output
from mpsdoctor.doctor.examine import examine_machine, owner
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.paths import find_profile
from mpsdoctor.profile import quick_settings
from mpsdoctor.version import __version__

QUESTIONS = """\
## What did you do?

## What did you expect?

## What happened instead?
"""


@click.command("bugreport")
@click.option(
    "-o",
    "--output",
    "target",
    metavar="FILE",
    default="mpsdoctor-bugreport.md",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; an existing one is never overwritten.",
)
def command(target: Path) -> None:
    """Write a report for you to read, complete and send.

    It leaves out your name, your Mac's name, serial numbers and tokens. Read it before you send it.
    """
    from mpsdoctor.facts.redact import redact
    from mpsdoctor.reports.markdown import render

    settings = quick_settings.read(find_profile(None, os.environ), os.environ)
    report = redact(examine_machine(settings, busy=output.busy), owner())
    text = f"{QUESTIONS}\n## The machine\n\nmpsdoctor {__version__}\n\n{render(report)}"
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise MpsDoctorError(
            f"{target} cannot be written",
            detail=str(error),
            hint="Name another file with --output FILE.",
        ) from error
    output.show(str(target))
    output.tell("Answer its questions, read it, and attach it to your report.")
