"""What a check is and what it can say."""

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
    """What a report comes down to; `NOT_ASKED` where nothing is wrong, but torch was left out."""

    READY = "ready"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    NOT_ASKED = "not asked"


class Status(str, Enum):
    """How a check ended. `CRASHED` and `TIMED_OUT` mean: not known, never ok.

    `NOT_RECORDED` is for facts that a recorded machine may lack, where the verdict does not depend
    on them.
    """

    OK = "ok"
    FINDING = "finding"
    SKIPPED = "skipped"
    NOT_RECORDED = "not recorded"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"


class NoAnswerError(Exception):
    """The facts hold no answer to a check, so that it is neither ok nor a finding.

    `status` is `SKIPPED` where nobody asked and `TIMED_OUT` where no answer came.
    """

    def __init__(self, reason: str, status: Status = Status.SKIPPED) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class FixKind(str, Enum):
    """What `mpsdoctor check --fix` can do by itself: nothing that it could not take back."""

    HOT_FOLDER = "make the hot folder"
    PROFILE = "write the profile anew"
    SETTINGS = "put tuned values back"


class Fix(Record):
    """What `mpsdoctor check --fix` does about a finding; `settings` are those to put back."""

    kind: FixKind
    settings: tuple[str, ...] = ()


class Remedy(Record):
    """What to do about a finding; `commands` are complete lines to copy.

    A remedy is safe where it has a `fix`, which can be undone. One with commands is unsafe: they
    are for the user to read and run. Any other is manual.
    """

    text: str
    commands: tuple[str, ...] = ()
    fix: Fix | None = None


class Finding(Record):
    """What a check found, and what that means for pictures.

    `caveat` is what the verdict adds on a machine that is ready all the same.
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

    It raises NoAnswerError where the facts cannot tell. `requires` names earlier checks without
    whose success the answer would only repeat their finding. `asks_torch` marks what a quick
    examination, which does not import torch, leaves out.
    """

    id: str
    title: str
    examine: Callable[[Facts], Finding | None]
    requires: tuple[str, ...] = ()
    asks_torch: bool = False


class Result(Record):
    """How one check ended; `reason` says why it was skipped or how it crashed.

    `needs` is the id of the check that it was skipped for, if that was why.
    """

    id: str
    title: str
    status: Status
    finding: Finding | None = None
    reason: str = ""
    needs: str = ""


class Report(Record):
    """Every result, in the registry's order, with the facts they follow from."""

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
    def reserves(self) -> tuple[str, ...]:
        """What a machine that is ready is not ready for."""
        found = (result.finding for result in self.results if result.finding is not None)
        return tuple(finding.caveat for finding in found if finding.caveat)

    @property
    def unknown(self) -> tuple[Result, ...]:
        """The results that leave open whether this machine can render on mps.

        A skipped check does so only where no error has settled the question, and is counted once,
        at the check that it was skipped for.
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
        """Findings count from `level` on. Unknown results outweigh them: none may pass for ok."""
        if self.unknown:
            return ExitCode.INTERNAL
        found = (result.finding for result in self.results if result.finding is not None)
        if any(finding.severity.reaches(level) for finding in found):
            return ExitCode.FINDINGS
        return ExitCode.OK
