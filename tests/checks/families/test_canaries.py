"""MPS305: from what the canaries said to what it means for pictures."""

import msgspec
import pytest
from msgspec.structs import replace

from mpsdoctor.checks.registry import CHECKS
from mpsdoctor.checks.report import Result, Severity, Status
from mpsdoctor.checks.runner import examine
from mpsdoctor.facts.probes.canaries import CANARIES
from mpsdoctor.facts.records import Canary, CanaryStatus, Facts, ProbeOutcome, Torch
from mpsdoctor.knowledge.canaries import MEANINGS
from tests.support.machines import MACHINES

MACHINE = MACHINES / "m2-pro-macos-14.7.4-torch-2.6.0.json"
(CHECK,) = (check for check in CHECKS if check.id == "MPS305")
AVAILABLE = Torch(
    outcome=ProbeOutcome.ANSWERED, version="2.6.0", mps_built=True, mps_available=True
)


def canary(name: str, status: CanaryStatus = CanaryStatus.OK, **values: object) -> Canary:
    """One canary's answer."""
    return msgspec.convert({"name": name, "status": status, **values}, Canary)


def all_but(*changed: Canary) -> tuple[Canary, ...]:
    """Every canary, ok except those."""
    given = {one.name: one for one in changed}
    return tuple(given.get(one.name, canary(one.name, error=0.0)) for one in CANARIES)


def result_with(
    canaries: tuple[Canary, ...] | None, torch: str = "2.6.0", macos: str = "14.7.4"
) -> Result:
    """The check's result for them on an M2 Pro."""
    facts = msgspec.json.decode(MACHINE.read_text("utf-8"), type=Facts)
    said = replace(AVAILABLE, version=torch)
    system = replace(facts.system, macos_version=macos)
    facts = replace(facts, system=system, torch=said, canaries=canaries)
    (result,) = examine(facts, (CHECK,)).results
    return result


def test_a_device_that_is_right_is_ok() -> None:
    """A canary that this torch cannot run does not matter."""
    skipped = canary("conv3d", CanaryStatus.SKIPPED, detail="Conv3D is not supported on MPS")
    assert Status.OK is result_with(all_but(skipped)).status


def test_wrong_arithmetic_is_an_error_in_words_for_pictures() -> None:
    """The finding names the arithmetic, how wrong it is, its effect and a newer torch."""
    wrong = canary("linear-bias", CanaryStatus.WRONG, error=0.2273, tolerance=0.0001)
    finding = result_with(all_but(wrong)).finding
    assert finding is not None
    assert Severity.ERROR is finding.severity
    assert finding.observed == (
        "The GPU gets 1 of 17 test computations wrong: linear layers with a bias "
        "(linear-bias: off by 0.23, allowed 0.0001)."
    )
    assert "noise" in finding.impact
    assert "the tuned profile renders on the CPU" in finding.remedy.text
    assert any("torch==" in command for command in finding.remedy.commands)


def test_all_wrong_arithmetic_is_named_in_the_order_of_the_tests() -> None:
    """Neither of two wrong results hides the other, nor its effect on pictures."""
    wrong = (
        canary("linear-bias", CanaryStatus.WRONG, error=0.2273, tolerance=0.0001),
        canary("argmax", CanaryStatus.WRONG, error="nan", tolerance=0.02),
    )
    finding = result_with(all_but(*wrong)).finding
    assert finding is not None
    assert (finding.observed, finding.impact) == (
        "The GPU gets 2 of 17 test computations wrong: linear layers with a bias (linear-bias: "
        "off by 0.23, allowed 0.0001), the search for the largest number (argmax: not a number).",
        "Each step misjudges how much noise is left: pictures are noise or washed out. "
        "The end of the prompt is not found: pictures do not match the prompt.",
    )


@pytest.mark.parametrize(
    ("name", "macos", "torch", "advice", "install"),
    [
        # A fault that macOS 13.3 fixed needs no advice on 15.6.
        ("int64", "15.6", "2.14.1", "Until this is fixed", "torch==2.15.0"),
        # Every PyTorch before 2.14 has it.
        ("baddbmm-beta-zero", "13.7.4", "2.4.1", "Do not call enable_attention_slicing.", ""),
        ("baddbmm-beta-zero", "14.7.4", "2.4.1", "Do not call", "torch==2.14.1"),
        # The newest has it, and the one before brought it.
        ("conv3d", "26.2", "2.14.1", "Update macOS.", ""),
        ("cpu-scalar-offset", "26.2", "2.12.1", "choose an Euler scheduler", ""),
        ("sdpa-scale-cache", "26.2", "2.12.1", "Update PyTorch, or multiply", "torch==2.13.0"),
    ],
)
def test_only_what_helps_on_this_machine_is_advised(
    name: str, macos: str, torch: str, advice: str, install: str
) -> None:
    """Only remedies of matching faults are given, and a PyTorch without them."""
    canaries = all_but(canary(name, CanaryStatus.WRONG, tolerance=0.0))
    finding = result_with(canaries, torch=torch, macos=macos).finding
    assert finding is not None
    assert finding.remedy.text.startswith(advice) or advice in finding.remedy.text
    assert "Update macOS" not in finding.remedy.text or advice == "Update macOS."
    commands = " ".join(finding.remedy.commands)
    assert commands.endswith(install) if install else not commands


def test_the_newest_torch_is_not_offered_where_it_is_installed() -> None:
    """No command is suggested that would change nothing."""
    wrong = canary("argmax", CanaryStatus.WRONG, error="nan", tolerance=0.02)
    finding = result_with(all_but(wrong), torch="99.0").finding
    assert finding is not None
    assert "not a number" in finding.observed
    assert finding.remedy.commands == ()


@pytest.mark.parametrize("name", [name for name, what in MEANINGS.items() if what.tolerable])
def test_what_pictures_can_do_without_is_a_warning(name: str) -> None:
    """Tolerable arithmetic is a warning, and has a remedy."""
    finding = result_with(all_but(canary(name, CanaryStatus.WRONG, tolerance=0.0))).finding
    assert finding is not None
    assert Severity.WARNING is finding.severity
    assert finding.remedy.text


def test_arithmetic_that_raises_is_a_finding_with_its_error() -> None:
    """An exception is a finding that quotes its message."""
    failed = canary("argmax", CanaryStatus.FAILED, detail="RuntimeError: no kernel")
    finding = result_with(all_but(failed)).finding
    assert finding is not None
    assert "argmax: RuntimeError: no kernel" in finding.observed


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (CanaryStatus.CRASHED, Status.CRASHED),
        (CanaryStatus.TIMED_OUT, Status.TIMED_OUT),
    ],
)
def test_a_canary_that_was_lost_is_not_known(status: CanaryStatus, expected: Status) -> None:
    """The reason names the arithmetic, and also what was wrong."""
    lost = canary("conv3d", status, detail="Python was ended by SIGABRT")
    warned = canary("copy-non-blocking", CanaryStatus.WRONG, error=3.0, tolerance=0.0)
    for canaries in (all_but(lost), all_but(lost, warned)):
        result = result_with(canaries)
        assert expected is result.status
        assert "convolutions over time (conv3d)" in result.reason
        assert "SIGABRT" in result.reason
    assert "copy-non-blocking" in result.reason


def test_the_first_lost_canary_is_the_reason() -> None:
    """One that was lost later may only have suffered from it."""
    lost = canary("linear-bias", CanaryStatus.TIMED_OUT)
    later = canary("argmax", CanaryStatus.CRASHED)
    result = result_with(all_but(lost, later))
    assert (result.status, result.reason) == (
        Status.TIMED_OUT,
        "linear layers with a bias (linear-bias) timed out",
    )


def test_a_lost_canary_does_not_hide_an_error() -> None:
    """A proven error is reported, whatever is not known."""
    lost = canary("conv3d", CanaryStatus.CRASHED)
    wrong = canary("argmax", CanaryStatus.WRONG, error=0.5, tolerance=0.02)
    assert Status.FINDING is result_with(all_but(lost, wrong)).status


@pytest.mark.parametrize(
    ("canaries", "status"),
    [
        (None, Status.NOT_RECORDED),
        ((), Status.CRASHED),
        (tuple(canary(one.name, CanaryStatus.SKIPPED) for one in CANARIES), Status.SKIPPED),
        (tuple(canary(one.name, device="cpu") for one in CANARIES), Status.SKIPPED),
    ],
)
def test_arithmetic_that_nobody_tried_on_the_gpu_is_not_known(
    canaries: tuple[Canary, ...] | None, status: Status
) -> None:
    """If mps is available, only canaries that ran on it count."""
    result = result_with(canaries)
    assert status is result.status
    assert result.reason


def test_a_canary_of_a_newer_version_is_named() -> None:
    """A canary that this version does not know is still a finding."""
    finding = result_with((canary("fft", CanaryStatus.WRONG, error=1.0, tolerance=0.1),)).finding
    assert finding is not None
    assert "fft" in finding.observed
