"""`mpsdoctor check`: examines the machine, reports, and writes the profile."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.doctor import fixing
from mpsdoctor.cli.options import model_name, profile_option
from mpsdoctor.constants import ExitCode
from mpsdoctor.doctor.examine import choose_checks, examine_machine, owner, read_facts
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.paths import find_profile, profile_path
from mpsdoctor.profile import quick_settings

if TYPE_CHECKING:
    from mpsdoctor.checks.report import Report

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("check")
@click.option(
    "--model",
    metavar="MODEL",
    type=model_name,
    help="The model to tune for: a Hugging Face id or a folder.  [default: the profile's]",
)
@click.option("--quick", is_flag=True, help="Do not import PyTorch; write no profile.")
@click.option(
    "--python",
    metavar="PATH",
    help="Examine another Python's environment, such as ComfyUI's .venv; write no profile.",
)
@click.option("--render", is_flag=True, help="Also render a picture and compare it with the CPU's.")
@click.option(
    "--device",
    type=click.Choice(["mps", "cpu"]),
    help="Test arithmetic and rendering on this device.  [default: mps, if available]",
)
@click.option("-v", "--verbose", is_flag=True, help="Show all checks, including those that passed.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="json and markdown leave out your name and your Mac's name.",
)
@click.option(
    "--fail-level",
    type=click.Choice(["note", "warning", "error"]),
    default="error",
    show_default=True,
    help="The lowest severity of a finding that makes the exit code 1.",
)
@click.option("--ignore", metavar="ID", multiple=True, help="Skip this check; repeatable.")
@click.option("--save-facts", metavar="FILE", type=_FILE, help="Record this machine in a new file.")
@click.option(
    "--facts", metavar="FILE", type=_FILE, help="Examine a recorded machine; write no profile."
)
@fixing.options
@profile_option
def command(
    model: str | None,
    quick: bool,
    python: str | None,
    render: bool,
    device: Literal["mps", "cpu"] | None,
    verbose: bool,
    form: str,
    fail_level: str,
    ignore: tuple[str, ...],
    save_facts: Path | None,
    facts: Path | None,
    fix: bool,
    dry_run: bool,
    yes: bool,
    undo: bool,
    profile: Path | None,
) -> ExitCode:
    """Examine this machine and write its profile.

    Says what is wrong, and what to do about it.

    The exit code is 0 if no finding reaches --fail-level, and 1 if one does. It is 2 after a usage
    error, and 3 if a check could not tell or mpsdoctor itself failed.

    `mpsdoctor doctor` is the same command.
    """
    from mpsdoctor.checks.report import Severity
    from mpsdoctor.checks.runner import examine
    from mpsdoctor.reports.text import picture_line

    _refuse_misuse(render or device is not None, quick, bool(facts))
    fixing.refuse_misuse(fix, dry_run, yes, undo, elsewhere=bool(facts or python))
    if undo:
        return fixing.undo()
    if save_facts and os.path.lexists(save_facts):
        raise _cannot_record(f"{save_facts} already exists, and is not overwritten.")

    def examination() -> "Report":
        settings = quick_settings.read(find_profile(profile, os.environ), os.environ)
        ignored = {*ignore, *settings.ignore}
        if facts:
            return examine(read_facts(facts), choose_checks(quick, ignored))
        return examine_machine(
            settings,
            model=model,
            python=python,
            quick=quick,
            device=device,
            render=render,
            ignore=ignored,
            profile=profile,
            busy=output.busy,
        )

    def write(report: "Report") -> None:
        from mpsdoctor.cli.doctor.tuned_profile import update_profile

        if not (quick or facts or python):
            update_profile(report.facts, model, profile_path(profile, os.environ))

    report = examination()
    if render:
        output.tell(picture_line(report.facts.picture))
    if save_facts:
        _record(report, save_facts)
    show = partial(show_report, form=form, verbose=verbose)
    if fix:
        asking = fixing.Asking(dry_run=dry_run, yes=yes, is_text=form == "text")
        report = fixing.fix(report, examination, show, write, model, asking)
    else:
        show(report)
        write(report)
    return report.exit_code_at(Severity(fail_level))


def _refuse_misuse(on_device: bool, quick: bool, recorded: bool) -> None:
    """Raises click.UsageError if a device is to be tested, but cannot be."""
    if on_device and quick:
        raise click.UsageError("--render and --device need PyTorch, which --quick does not import.")
    if on_device and recorded:
        raise click.UsageError("--render and --device test this machine, not that of --facts.")


def show_report(report: "Report", form: str = "text", verbose: bool = False) -> None:
    """Prints a report, redacted unless it is text: the other formats are for sharing."""
    from mpsdoctor.facts.redact import redact
    from mpsdoctor.reports import document, markdown, text

    if form == "text":
        output.show(text.render(report, verbose, width=output.width()))
    elif form == "json":
        output.show(document.render(redact(report, owner())))
    else:
        output.show(markdown.render(redact(report, owner())).rstrip())


def _cannot_record(reason: str) -> MpsDoctorError:
    return MpsDoctorError("The facts cannot be recorded", detail=reason, hint="Name another file.")


def _record(report: "Report", path: Path) -> None:
    import msgspec

    from mpsdoctor.facts.redact import redact
    from mpsdoctor.files import write_atomically

    facts = redact(report.facts, owner())
    try:
        write_atomically(path, msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n")
    except OSError as error:
        raise _cannot_record(str(error)) from error
    output.tell(f"Recorded: {path}")
