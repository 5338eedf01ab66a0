"""`mpsdoctor check`: examine, report, write the profile."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.examination import (
    choose_checks,
    examine_machine,
    owner,
    read_facts,
    subject_of,
)
from mpsdoctor.cli.options import profile_option, profile_path
from mpsdoctor.cli.tuning import write_profile
from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError

if TYPE_CHECKING:
    from mpsdoctor.checks.model import Report

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("check")
@click.option(
    "--model",
    metavar="MODEL",
    help="A Hugging Face model id or a folder to tune for.  [default: the profile's]",
)
@click.option("--quick", is_flag=True, help="Do not import PyTorch; writes no profile.")
@click.option(
    "--python",
    metavar="PATH",
    help="Examine another Python's environment, such as ComfyUI's .venv; writes no profile.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show every check, also those that passed.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="json and markdown name neither you nor your Mac.",
)
@click.option(
    "--fail-level",
    type=click.Choice(["note", "warning", "error"]),
    default="error",
    show_default=True,
    help="From which severity on the exit code is 1.",
)
@click.option("--ignore", metavar="ID", multiple=True, help="Leave a check out; repeatable.")
@click.option("--save-facts", metavar="FILE", type=_FILE, help="Record this machine in a file.")
@click.option(
    "--facts", metavar="FILE", type=_FILE, help="Examine a recorded machine; writes no profile."
)
@profile_option
def command(
    model: str | None,
    quick: bool,
    python: str | None,
    verbose: bool,
    form: str,
    fail_level: str,
    ignore: tuple[str, ...],
    save_facts: Path | None,
    facts: Path | None,
    profile: Path | None,
) -> ExitCode:
    """Examine this machine and write its profile.

    Says what is wrong in words that you can act on.

    `mpsdoctor doctor` is the same command.
    """
    from mpsdoctor.checks.model import Severity
    from mpsdoctor.checks.runner import examine

    subject = subject_of(profile)
    ignored = {*ignore, *subject.ignore}
    if facts:
        report = examine(read_facts(facts), choose_checks(quick, ignored))
    else:
        report = examine_machine(subject, model=model, python=python, quick=quick, ignore=ignored)
    if save_facts:
        _record(report, save_facts)
    show_report(report, form, verbose)
    if not (quick or facts or python):
        write_profile(report.facts, model, profile_path(profile))
    return report.exit_code_at(Severity(fail_level))


def show_report(report: "Report", form: str = "text", verbose: bool = False) -> None:
    """Prints a report; in the forms that are meant to be shared, it is redacted."""
    from mpsdoctor.facts.redact import redact
    from mpsdoctor.reports import document, markdown, text

    if form == "text":
        output.show(text.render(report, verbose, width=output.width()))
    elif form == "json":
        output.show(document.render(redact(report, owner())))
    else:
        output.show(markdown.render(redact(report, owner())).rstrip())


def _record(report: "Report", path: Path) -> None:
    import msgspec

    from mpsdoctor.facts.redact import redact
    from mpsdoctor.files import write_atomically

    facts = redact(report.facts, owner())
    try:
        write_atomically(path, msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n")
    except OSError as error:
        raise MpsDoctorError(
            "The facts cannot be recorded", detail=str(error), hint="Name another file."
        ) from error
    output.tell(f"Recorded: {path}")
