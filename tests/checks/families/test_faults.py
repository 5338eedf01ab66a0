"""MPS310, the faults that are known of a machine."""

import re

import msgspec
import pytest
from msgspec.structs import replace

from mpsdoctor.checks.families import faults
from mpsdoctor.checks.report import Finding, NoAnswerError, Severity
from mpsdoctor.facts.records import (
    Canary,
    CanaryStatus,
    Facts,
    Hardware,
    ProbeOutcome,
    Torch,
)
from mpsdoctor.knowledge.device import Device
from mpsdoctor.knowledge.faults.fault import Effect, Fault
from mpsdoctor.knowledge.faults.matching import Match, load, matches
from tests.support.machines import MACHINES

IDS = {fault.id for fault in load()}
TORCHES = ("2.15.0", "2.14.1", "2.12.1", "2.10.0", "2.7.1", "2.4.0", "2.2.1", "2.0.1", "1.13.1")


def recorded(name: str, torch: str | None = None) -> Facts:
    """A recorded machine, with another PyTorch if one is named."""
    facts = msgspec.json.decode((MACHINES / f"{name}.json").read_text(encoding="utf-8"), type=Facts)
    if torch is None:
        return facts
    answer = Torch(outcome=ProbeOutcome.ANSWERED, version=torch, mps_available=True)
    return replace(facts, torch=answer)


def found(name: str, torch: str | None = None) -> Finding:
    """The finding of a machine that has one."""
    finding = faults.known(recorded(name, torch))
    assert finding is not None
    return finding


def named(finding: Finding) -> list[str]:
    """The faults that a finding lists, in its order."""
    return [word for word in re.findall(r"[a-z0-9-]+", finding.observed) if word in IDS]


@pytest.mark.parametrize(
    ("machine", "torch", "severity"),
    [
        ("m2-pro-macos-14.7.4-torch-2.6.0", None, Severity.WARNING),
        ("m2-max-macos-26.3.1-torch-2.10.0", None, Severity.WARNING),
        ("m5-macos-27.0-torch-2.14.0", "2.12.1", Severity.WARNING),
        ("m5-macos-27.0-torch-2.14.0", None, Severity.NOTE),
        ("m1-8gb-macos-15.5", "2.15.0", Severity.NOTE),
    ],
)
def test_only_what_surely_spoils_ordinary_pictures_is_a_warning(
    machine: str, torch: str | None, severity: Severity
) -> None:
    """What concerns large pictures, or is not verified, is a note."""
    assert severity is found(machine, torch).severity


def test_the_list_is_short_and_the_gravest_come_first() -> None:
    """At most four faults are named, and the others counted."""
    finding = found("m4-pro-64gb-macos-15.2-torch-2.5.1")
    assert len(named(finding)) == 4
    assert named(finding)[0] == "baddbmm-beta-zero-nan"
    assert re.search(r"And \d+ more\.", finding.observed)
    assert "Unverified here: " not in finding.observed


def test_what_the_sources_have_not_seen_is_called_unverified() -> None:
    """A fault outside its verified range is named apart from those within theirs."""
    observed = found("m5-macos-27.0-torch-2.14.0").observed
    assert "It may have: batched-matmul-over-2-32" in observed
    assert "attention-scores-over-2-32" in observed.partition("Unverified here: ")[2]


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (CanaryStatus.WRONG, True),
        (CanaryStatus.FAILED, True),
        (CanaryStatus.CRASHED, False),
        (CanaryStatus.TIMED_OUT, False),
        (CanaryStatus.OK, False),
        (CanaryStatus.SKIPPED, False),
    ],
)
def test_a_failed_canary_shows_its_fault(status: CanaryStatus, shown: bool) -> None:
    """A canary that is wrong or fails turns an unverified fault into a certain one.

    A canary without a result shows nothing: MPS305 calls it unknown.
    """
    facts = recorded("m5-macos-27.0-torch-2.14.0", "2.13.0")
    canary = Canary(name="sdpa-causal", status=status)
    finding = faults.known(replace(facts, canaries=(canary,)))
    assert finding is not None
    assert shown is ("The GPU shows: causal-mask-leak" in finding.observed)


SHOWN = [fault for fault in load() if fault.canary]


@pytest.mark.parametrize("fault", SHOWN, ids=lambda fault: fault.id)
def test_a_fault_that_a_canary_shows_is_a_warning_if_it_spoils_pictures(fault: Fault) -> None:
    """What the GPU does get wrong comes first and is a warning, however rare it is elsewhere."""
    facts = replace(recorded("m5-macos-27.0-torch-2.14.0"), hardware=Hardware())
    system = replace(facts.system, macos_version=None)
    assert fault.canary is not None
    canary = Canary(name=fault.canary, status=CanaryStatus.WRONG)
    newest = next(t for t in TORCHES if fault.torch.contains(t, prereleases=True))
    torch = Torch(outcome=ProbeOutcome.ANSWERED, version=newest, mps_available=True)
    finding = faults.known(replace(facts, system=system, torch=torch, canaries=(canary,)))

    assert finding is not None
    shown = finding.observed.partition("The GPU shows: ")[2].partition(". ")[0]
    assert f"{fault.id} ({fault.symptom})" in shown
    if fault.effect in (Effect.BLACK, Effect.CORRUPT):
        assert finding.severity is Severity.WARNING


def test_a_fault_that_raises_is_a_note_even_if_a_canary_shows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An exception spoils no picture."""
    facts = recorded("m1-macos-12.2.1-torch-1.13.0.dev", "2.4.0")
    facts = replace(facts, system=replace(facts.system, macos_version="12.6"))
    canary = Canary(name="cumsum", status=CanaryStatus.FAILED)
    all_known = matches

    def only_this(device: Device) -> list[Match]:
        return [one for one in all_known(device) if one.fault.id == "cumsum-of-integers"]

    monkeypatch.setattr("mpsdoctor.knowledge.faults.matching.matches", only_this)
    finding = faults.known(replace(facts, canaries=(canary,)))
    assert finding is not None
    assert "The GPU shows: cumsum-of-integers" in finding.observed
    assert finding.severity is Severity.NOTE


def test_a_canary_on_the_cpu_says_nothing_of_the_gpu() -> None:
    """Only what failed on mps counts."""
    facts = recorded("m5-macos-27.0-torch-2.14.0", "2.13.0")
    canary = Canary(name="sdpa-causal", status=CanaryStatus.WRONG, device="cpu")
    finding = faults.known(replace(facts, canaries=(canary,)))
    assert finding == faults.known(facts)


def test_a_canary_shows_what_does_not_reach_ordinary_pictures() -> None:
    """A fault that a canary shows is listed, even if only video models use it."""
    facts = recorded("m5-macos-27.0-torch-2.14.0", "2.13.0")
    canary = Canary(name="conv2d-sliced-weight", status=CanaryStatus.WRONG)
    finding = faults.known(replace(facts, canaries=(canary,)))
    assert finding is not None
    assert named(finding)[0] == "conv2d-sliced-weight"


def test_an_error_that_explains_itself_is_not_listed() -> None:
    """A fault that raises an exception needs no warning beforehand."""
    assert "invalid-buffer-size" not in named(found("m5-macos-27.0-torch-2.14.0"))


def test_the_remedy_names_the_page_and_a_better_torch() -> None:
    """An update is offered if it leaves fewer faults, with a line to copy."""
    remedy = found("m2-pro-macos-14.7.4-torch-2.6.0").remedy
    assert "mpsdoctor explain FAULT-ID" in remedy.text
    assert "PyTorch 2.14.1 is free of 3 of these, but may have batched-matmul-long" in remedy.text
    assert any("pip install torch==2.14.1" in command for command in remedy.commands)


@pytest.mark.parametrize(
    ("chip", "macos", "torch"),
    [
        # It has as many new faults as it fixes, or more.
        ("Apple M1", "13.6", "2.2.2"),
        ("Apple M1", "12.6", "1.13.1"),
        # MPS104 says to keep PyTorch below 2.14.
        ("Apple M5 Max", "26.2", "2.13.0"),
    ],
)
def test_only_a_better_torch_is_offered(chip: str, macos: str, torch: str) -> None:
    """An upgrade is offered only if it fixes more faults than it brings."""
    facts = recorded("m1-8gb-macos-15.5", torch)
    hardware, system = (
        replace(facts.hardware, chip=chip),
        replace(facts.system, macos_version=macos),
    )
    finding = faults.known(replace(facts, hardware=hardware, system=system))
    assert finding is not None
    assert "free of" not in finding.remedy.text
    assert all(command.startswith("mpsdoctor explain") for command in finding.remedy.commands)


def test_a_fault_whose_canary_is_right_is_said_to_be_unseen() -> None:
    """A fault whose canary is right is no longer listed as possible."""
    facts = recorded("m1-8gb-macos-15.5", "2.13.0")
    facts = replace(facts, system=replace(facts.system, macos_version="26.4"))
    right = Canary(name="linear-bias", status=CanaryStatus.OK, error=0.0)
    before, after = faults.known(facts), faults.known(replace(facts, canaries=(right,)))
    assert before is not None
    assert after is not None
    assert "linear-bias-dropped" in before.observed
    assert "linear-bias-dropped" not in after.observed.partition("Unverified here")[0]


def test_without_a_better_torch_the_remedy_is_the_first_page() -> None:
    """The newest PyTorch is not replaced."""
    finding = found("m1-8gb-macos-15.5", "2.15.0")
    assert finding.remedy.commands == (f"mpsdoctor explain {named(finding)[0]}",)


def test_what_is_not_known_of_the_machine_is_said() -> None:
    """Without chip and macOS version, the finding says that they are not known."""
    facts = recorded("m2-pro-macos-14.7.4-torch-2.6.0")
    hardware = replace(facts.hardware, chip=None)
    system = replace(facts.system, macos_version=None)
    finding = faults.known(replace(facts, hardware=hardware, system=system))
    assert finding is not None
    assert finding.observed.endswith("Not known about this machine: macOS, chip.")


def test_a_machine_without_mps_has_no_faults_of_it() -> None:
    """Nothing is found on Linux."""
    assert faults.known(recorded("linux-torch-2.13.0+cpu")) is None


def test_without_a_torch_version_there_is_no_answer() -> None:
    """Without a PyTorch version there is no answer."""
    with pytest.raises(NoAnswerError, match="version"):
        faults.known(recorded("m1-8gb-macos-15.5"))
