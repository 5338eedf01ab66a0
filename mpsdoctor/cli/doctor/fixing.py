"""`mpsdoctor check --fix` and `--undo`: safe remedies, shown, agreed to, done and re-checked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

from mpsdoctor.cli import output
from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError

if TYPE_CHECKING:
    from mpsdoctor.checks.report import Report, Result
    from mpsdoctor.fixing.plan import Plan

F = TypeVar("F", bound=Callable[..., object])

_OPTIONS = (
    click.option("--fix", is_flag=True, help="Carry out the safe remedies; shows them and asks."),
    click.option("--dry-run", is_flag=True, help="With --fix: show what it would do, do nothing."),
    click.option("--yes", is_flag=True, help="With --fix: do not ask."),
    click.option("--undo", is_flag=True, help="Take back what the last --fix did; no check."),
)


def options(command: F) -> F:
    """The options that this module is for."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def refuse_misuse(fix: bool, dry_run: bool, yes: bool, undo: bool, elsewhere: bool) -> None:
    """`elsewhere` is whether another machine or environment is examined than this one.

    Raises click.UsageError for what does not go together, and MpsDoctorError where nobody could
    agree to a fix: before the examination, which takes its time.
    """
    if (dry_run or yes) and not fix:
        raise click.UsageError("--dry-run and --yes go with --fix.")
    if fix and undo:
        raise click.UsageError("--fix and --undo are opposites.")
    if fix and elsewhere:
        raise click.UsageError("--fix is for this machine: leave out --facts and --python.")
    if fix and not (dry_run or yes or output.somebody_is_there()):
        raise MpsDoctorError(
            "Nobody is there to be asked",
            detail="--fix asks before it changes anything, and standard input is no terminal.",
            hint="`--fix --dry-run` shows what it would do; `--fix --yes` does it.",
            exit_code=ExitCode.USAGE,
        )


@dataclass(frozen=True)
class Asking:
    """How a fix is talked about; `is_text` is whether the report is for a person to read."""

    dry_run: bool
    yes: bool
    is_text: bool

    def agreed(self) -> bool:
        """Whether the fix may be carried out."""
        return not self.dry_run and (self.yes or output.ask("Do that?"))


def fix(
    report: "Report",
    examine_again: Callable[[], "Report"],
    show: Callable[["Report"], None],
    write: Callable[["Report"], None],
    model: str | None,
    asking: Asking,
) -> "Report":
    """Plans, asks, applies and examines again; the last report.

    In a form for programs that report is all that is on stdout. `write` writes the profile as
    every check does; it is not called where that is part of the plan, for `--undo` to take back.

    Raises MpsDoctorError where a step fails; everything is as it was before then.
    """
    from mpsdoctor.cli.doctor.fix_plan import plan_for
    from mpsdoctor.fixing.act import apply
    from mpsdoctor.paths import undo_file

    say = output.show if asking.is_text else output.tell
    if asking.is_text:
        show(report)
    plan = plan_for(report, model)
    if not asking.dry_run and not plan.writes_file:
        write(report)
    for line in _lines(plan, report):
        say(line)
    if not plan.steps or not asking.agreed():
        if not asking.is_text:
            show(report)
        return report
    apply(plan.steps, undo_file())
    after = examine_again()
    for line in _outcomes(report, after):
        say(line)
    say("To take it back: mpsdoctor check --undo\n")
    show(after)
    return after


def undo() -> ExitCode:
    """Takes back the last fix, as far as nobody has changed anything since."""
    from mpsdoctor.fixing.act import undo
    from mpsdoctor.paths import undo_file

    results = undo(undo_file())
    for result in results:
        output.show(result.text)
    if not results:
        output.tell("There is nothing to undo.")
    if not any(result.refused for result in results):
        return ExitCode.OK
    output.tell("What stays as it is can be taken back later: mpsdoctor check --undo")
    return ExitCode.FINDINGS


def _lines(plan: "Plan", report: "Report") -> Iterator[str]:
    """What --fix does, and what it leaves to the user: it installs and deletes nothing."""
    yield ""
    yield "To fix:" if plan.lines else "To fix: nothing that is safe to do without you."
    yield from (f"  {line}" for line in plan.lines)
    unsafe = [
        (result, result.finding.remedy.commands)
        for result in report.results
        if result.finding and result.finding.remedy.commands
    ]
    if unsafe:
        yield "\nLeft to you, to read and copy:"
    for result, commands in unsafe:
        yield f"  {result.id}  {result.title}"
        yield from (f"    {command}" for command in commands)


def _outcomes(before: "Report", after: "Report") -> Iterator[str]:
    """Whether each finding that has a fix is gone."""
    results = {result.id: result for result in after.results}
    for found in before.results:
        if found.finding and found.finding.remedy.fix:
            why = _why_not(results.get(found.id))
            state = f"not fixed  {found.id}  {found.title}: {why}" if why else ""
            yield state or f"fixed  {found.id}  {found.title}"


def _why_not(result: "Result | None") -> str:
    """Why a finding is not gone; empty where it is."""
    from mpsdoctor.checks.report import Status

    if result is None:
        return "it is left out now, by the profile"
    if result.finding:
        return result.finding.observed
    return "" if result.status is Status.OK else result.reason
