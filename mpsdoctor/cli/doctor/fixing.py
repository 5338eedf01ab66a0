"""`mpsdoctor check --fix` and `--undo`: shows the safe fixes, asks, applies them, checks again."""

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
    click.option("--fix", is_flag=True, help="Show the safe fixes, ask, and apply them."),
    click.option("--dry-run", is_flag=True, help="With --fix: only show what it would do."),
    click.option("--yes", is_flag=True, help="With --fix: do not ask."),
    click.option("--undo", is_flag=True, help="Undo what the last --fix did, without a check."),
)


def options(command: F) -> F:
    """Adds the options of `--fix` and `--undo` to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def refuse_misuse(fix: bool, dry_run: bool, yes: bool, undo: bool, elsewhere: bool) -> None:
    """Raises click.UsageError if the options contradict each other.

    Raises MpsDoctorError if nobody can be asked to confirm a fix. Both happen before the slow
    examination. `elsewhere` is whether another machine or environment is examined.
    """
    if (dry_run or yes) and not fix:
        raise click.UsageError("--dry-run and --yes need --fix.")
    if fix and undo:
        raise click.UsageError("--fix and --undo are opposites.")
    if fix and elsewhere:
        raise click.UsageError("--fix is for this machine: leave out --facts and --python.")
    if fix and not (dry_run or yes or output.can_ask()):
        raise MpsDoctorError(
            "Cannot ask for confirmation",
            detail="--fix asks before it changes anything, but standard input is not a terminal.",
            hint="`--fix --dry-run` shows what it would do; `--fix --yes` does it.",
            exit_code=ExitCode.USAGE,
        )


@dataclass(frozen=True)
class Asking:
    """How to ask and report; `is_text` is whether the report is for a person to read."""

    dry_run: bool
    yes: bool
    is_text: bool

    def agreed(self) -> bool:
        """Whether the fixes may be applied."""
        return not self.dry_run and (self.yes or output.ask("Apply these fixes?"))


def fix(
    report: "Report",
    examine_again: Callable[[], "Report"],
    show: Callable[["Report"], None],
    write: Callable[["Report"], None],
    model: str | None,
    asking: Asking,
) -> "Report":
    """Plans, asks, applies and examines again. Returns the last report.

    In a format for programs, that report is all that is printed to stdout. `write` writes the
    profile as every check does. It is not called if the plan writes the profile, so that `--undo`
    can restore it.

    Raises MpsDoctorError if a step fails; then all steps are undone.
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
    say("To undo this: mpsdoctor check --undo\n")
    show(after)
    return after


def undo() -> ExitCode:
    """Undoes the last fix, except for what was changed since."""
    from mpsdoctor.fixing.act import undo
    from mpsdoctor.paths import undo_file

    results = undo(undo_file())
    for result in results:
        output.show(result.text)
    if not results:
        output.tell("There is nothing to undo.")
    if not any(result.refused for result in results):
        return ExitCode.OK
    output.tell("Some changes were not undone. To try again later: mpsdoctor check --undo")
    return ExitCode.FINDINGS


def _lines(plan: "Plan", report: "Report") -> Iterator[str]:
    """What --fix does, and what it leaves to the user: it installs and deletes nothing."""
    yield ""
    yield "Safe fixes:" if plan.lines else "Safe fixes: none."
    yield from (f"  {line}" for line in plan.lines)
    unsafe = [
        (result, result.finding.remedy.commands)
        for result in report.results
        if result.finding and result.finding.remedy.commands
    ]
    if unsafe:
        yield "\nFor you to read, copy and run:"
    for result, commands in unsafe:
        yield f"  {result.id}  {result.title}"
        yield from (f"    {command}" for command in commands)


def _outcomes(before: "Report", after: "Report") -> Iterator[str]:
    """For each finding with a fix, whether it is gone."""
    results = {result.id: result for result in after.results}
    for found in before.results:
        if found.finding and found.finding.remedy.fix:
            why = _why_not(results.get(found.id))
            state = f"not fixed  {found.id}  {found.title}: {why}" if why else ""
            yield state or f"fixed  {found.id}  {found.title}"


def _why_not(result: "Result | None") -> str:
    """Why a finding is still there; "" if it is gone."""
    from mpsdoctor.checks.report import Status

    if result is None:
        return "the profile now ignores this check"
    if result.finding:
        return result.finding.observed
    return "" if result.status is Status.OK else result.reason
