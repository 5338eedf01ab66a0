"""MPS312: from what became of the picture to what it means for pictures."""

import msgspec
import pytest
from msgspec.structs import replace

from mpsdoctor.checks.registry import CHECKS
from mpsdoctor.checks.report import Result, Severity, Status
from mpsdoctor.checks.runner import examine
from mpsdoctor.constants import ExitCode
from mpsdoctor.facts.records import Canary, CanaryStatus, Facts, Picture, PictureStatus
from tests.support.machines import MACHINES

MACHINE = MACHINES / "m2-pro-macos-14.7.4-torch-2.6.0.json"
(CHECK,) = (check for check in CHECKS if check.id == "MPS312")
RIGHT = Picture(
    status=PictureStatus.OK, device="mps", dtype="float16", not_finite=0, rms=0.04, tolerance=1.0
)
WRONG = replace(RIGHT, status=PictureStatus.WRONG, rms=91.4, largest=255.0)


def mac(picture: Picture | None) -> Facts:
    """An M2 Pro in order, with this picture."""
    facts = msgspec.json.decode(MACHINE.read_bytes(), type=Facts)
    canary = Canary(name="sdpa", status=CanaryStatus.OK, error=0.0)
    return replace(facts, canaries=(canary,), picture=picture)


def result_of(picture: Picture | None) -> Result:
    """The check's result for it."""
    (result,) = examine(mac(picture), (CHECK,)).results
    return result


def test_a_picture_like_the_cpus_is_ok() -> None:
    """A difference that rounding explains is not a fault."""
    assert Status.OK is result_of(RIGHT).status


def test_a_picture_that_differs_is_an_error_in_numbers() -> None:
    """The finding gives the difference, its effect on pictures, and what to try next."""
    finding = result_of(WRONG).finding
    assert finding is not None
    assert Severity.ERROR is finding.severity
    assert finding.observed == (
        "The GPU rendered the embedded model's picture in float16 differently from the CPU in "
        "float32: 91.4 levels of 255 apart (root mean square; 1 is allowed), 255 at the worst "
        "pixel."
    )
    assert "noise" in finding.impact
    assert finding.remedy.commands == ("MPSDOCTOR_DTYPE=float32 mpsdoctor check --render",)


def test_in_float32_already_only_the_cpu_is_left() -> None:
    """No command is suggested that would change nothing."""
    finding = result_of(replace(WRONG, dtype="float32")).finding
    assert finding is not None
    assert finding.remedy.commands == ()
    assert "device to cpu" in finding.remedy.text


def test_numbers_that_are_not_finite_are_black_pictures() -> None:
    """The impact of NaN is a black picture."""
    black = replace(WRONG, not_finite=49152, rms=None, largest=None)
    finding = result_of(black).finding
    assert finding is not None
    assert "49152 of its numbers are not finite" in finding.observed
    assert "black" in finding.impact


def test_a_device_that_raises_is_an_error_with_its_words() -> None:
    """An exception is an error that quotes its message: there is no picture."""
    failed = replace(RIGHT, status=PictureStatus.FAILED, detail="RuntimeError: out of memory")
    finding = result_of(failed).finding
    assert finding is not None
    assert finding.observed.endswith("RuntimeError: out of memory")
    assert "No picture" in finding.impact


def test_a_cpu_that_is_wrong_needs_another_torch() -> None:
    """The remedy for a wrong CPU is another PyTorch."""
    finding = result_of(replace(WRONG, device="cpu", dtype="float32")).finding
    assert finding is not None
    assert finding.observed.startswith("The CPU rendered")
    assert "--force-reinstall" in finding.remedy.commands[0]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (PictureStatus.CRASHED, Status.CRASHED),
        (PictureStatus.TIMED_OUT, Status.TIMED_OUT),
        (PictureStatus.NOT_COMPARED, Status.SKIPPED),
    ],
)
def test_a_picture_that_was_asked_for_and_lost_makes_the_verdict_unknown(
    status: PictureStatus, expected: Status
) -> None:
    """A lost picture is never ok, and the reason says what happened."""
    facts = mac(replace(RIGHT, status=status, rms=None, detail="while mps rendered"))
    report = examine(facts)
    (lost,) = report.unknown
    assert ("MPS312", expected) == (lost.id, lost.status)
    assert "while mps rendered" in lost.reason
    assert ExitCode.INTERNAL is report.exit_code_at()


def test_a_picture_that_nobody_asked_for_leaves_the_verdict_alone() -> None:
    """Without `--render` the picture does not affect the verdict."""
    report = examine(mac(None))
    assert Status.NOT_RECORDED is next(r.status for r in report.results if r.id == "MPS312")
    assert ExitCode.OK is report.exit_code_at()


def test_the_cpu_proves_nothing_about_mps() -> None:
    """If mps is available, only a wrong picture from the CPU is a finding."""
    on_cpu = replace(RIGHT, device="cpu", dtype="float32")
    assert Status.SKIPPED is result_of(on_cpu).status
    assert Status.FINDING is result_of(replace(WRONG, device="cpu")).status
