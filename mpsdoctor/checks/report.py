"""Checks, their findings, and the report."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from mpsdoctor.constants import ExitCode
from mpsdoctor.facts.records import Facts
from mpsdoctor.records import Record


class Severity(str, Enum):
    """How much a finding matters, in ascending order; only an error stops rendering on mps."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"

    def reaches(self, level: "Severity") -> bool:
        """Whether it matters at least as much as `level`."""
        order = list(Severity)
        return order.index(self) >= order.index(level)


class Outcome(str, Enum):
    """The verdict of a report; `NOT_ASKED` if nothing is wrong, but torch was not asked."""

    READY = "ready"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    NOT_ASKED = "not asked"


class Status(str, Enum):
    """How a check ended. `CRASHED` and `TIMED_OUT` mean: not known, never ok.

    `NOT_RECORDED` is for facts that a recorded machine may lack and that do not affect the verdict.
    """

    OK = "ok"
    FINDING = "finding"
    SKIPPED = "skipped"
    NOT_RECORDED = "not recorded"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"


class NoAnswerError(Exception):
    """The facts have no answer to a check, so that it is neither ok nor a finding.

    `status` is `SKIPPED` if nobody asked, and `TIMED_OUT` if no answer came.
    """

    def __init__(self, reason: str, status: Status = Status.SKIPPED) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class FixKind(str, Enum):
    """What `mpsdoctor check --fix` can do by itself: only what it can undo."""

    HOT_FOLDER = "make the hot folder"
    PROFILE = "rewrite the profile"
    SETTINGS = "put tuned values back"


class Fix(Record):
    """What `mpsdoctor check --fix` does about a finding; `settings` are those to restore."""

    kind: FixKind
    settings: tuple[str, ...] = ()


class Remedy(Record):
    """What to do about a finding; `commands` are complete lines to copy.

    A remedy with a `fix` is safe: the fix can be undone. A remedy with commands is unsafe: users
    read and run them. Any other remedy is manual.
    """

    text: str
    commands: tuple[str, ...] = ()
    fix: Fix | None = None


class Finding(Record):
    """What a check found, and what that means for pictures.

    `caveat` is what the verdict adds if the machine is ready.
    """

    severity: Severity
    observed: str
    expected: str
    impact: str
    remedy: Remedy
    caveat: str = ""


@dataclass(frozen=True)
class Check:
    """A question with a stable id. `examine` is pure: the same facts, the same finding.

    It raises NoAnswerError if the facts have no answer. `requires` names earlier checks. If one of
    them fails, this check would only repeat its finding. A quick examination does not import torch,
    and skips the checks marked with `asks_torch`.
    """

    id: str
    title: str
    examine: Callable[[Facts], Finding | None]
    requires: tuple[str, ...] = ()
    asks_torch: bool = False


class Result(Record):
    """How one check ended; `reason` says why it was skipped or how it crashed.

    `needs` is the id of the required check that failed, if that is why it was skipped.
    """

    id: str
    title: str
    status: Status
    finding: Finding | None = None
    reason: str = ""
    needs: str = ""


class Report(Record):
    """Every result, in the registry's order, with the facts that they are based on."""

    facts: Facts
    results: tuple[Result, ...]

    @property
    def errors(self) -> tuple[Result, ...]:
        """The results that stop rendering on mps."""
        return tuple(
            result
            for result in self.results
            if result.finding is not None and result.finding.severity is Severity.ERROR
        )

    @property
    def caveats(self) -> tuple[str, ...]:
        """What limits the verdict of a machine that is ready."""
        found = (result.finding for result in self.results if result.finding is not None)
        return tuple(finding.caveat for finding in found if finding.caveat)

    @property
    def unknown(self) -> tuple[Result, ...]:
        """The results without which it is not known whether this machine can render on mps.

        Skipped checks count only if there is no error. A check that was skipped because another
        failed does not count: the other one does.
        """
        lost = {Status.CRASHED, Status.TIMED_OUT} | (set() if self.errors else {Status.SKIPPED})
        return tuple(
            result for result in self.results if result.status in lost and not result.needs
        )

    @property
    def outcome(self) -> Outcome:
        """Whether this machine can render on mps."""
        if self.errors:
            return Outcome.BLOCKED
        if self.unknown:
            return Outcome.UNKNOWN
        return Outcome.READY if self.facts.torch else Outcome.NOT_ASKED

    def exit_code_at(self, level: Severity = Severity.ERROR) -> ExitCode:
        """Findings count from `level` on. Unknown results come first: they never pass for ok."""
        if self.unknown:
            return ExitCode.INTERNAL
        found = (result.finding for result in self.results if result.finding is not None)
        if any(finding.severity.reaches(level) for finding in found):
            return ExitCode.FINDINGS
        return ExitCode.OK
