"""MPS1xx: what stands between a Mac and its GPU, at this moment."""

import pytest

from mpsdoctor.checks.families import mac, power
from mpsdoctor.checks.report import Severity
from mpsdoctor.facts.records import (
    Environment,
    Facts,
    Hardware,
    Power,
    ProbeOutcome,
    Python,
    System,
    ThermalState,
    Torch,
)


def on(macos: str, chip: str | None, torch: str | None = None) -> Facts:
    """An Apple-silicon Mac with this macOS and PyTorch."""
    return Facts(
        system=System(kernel="Darwin", macos_version=macos),
        hardware=Hardware(apple_silicon=True, chip=chip),
        python=Python(),
        torch=Torch(outcome=ProbeOutcome.ANSWERED, version=torch),
    )


def powered(now: Power) -> Facts:
    """A Mac with only its power known."""
    return Facts(system=System(kernel="Darwin"), python=Python(), power=now)


@pytest.mark.parametrize(
    ("torch", "severity"),
    [("2.11.0", Severity.NOTE), ("2.14.0", Severity.WARNING), (None, Severity.WARNING)],
)
def test_a_fault_that_torch_brings_out_is_a_note_before_it(
    torch: str | None, severity: Severity
) -> None:
    """On 26.2 the fault is a note before PyTorch 2.14, and a warning from then on."""
    finding = mac.driver(on("26.2", "Apple M2", torch))
    assert finding is not None
    assert severity is finding.severity
    assert finding.expected == "macOS 26.6 or newer, for which no report is known"


@pytest.mark.parametrize("chip", ["Apple M1 Max", "Apple M2 Ultra", "Apple M4 Pro", None])
def test_the_panics_are_told_on_every_chip(chip: str | None) -> None:
    """The panics are found on every chip, and the fix is called unconfirmed."""
    finding = mac.driver(on("26.4.1", chip))
    assert finding is not None
    assert "restart" in finding.impact
    assert finding.expected == "macOS 26.6 or newer, for which no report is known"


@pytest.mark.parametrize(("sandboxed", "variables"), [(True, {}), (None, {"CODEX_SANDBOX": None})])
def test_a_sandbox_matters_where_mps_is_not_available(
    sandboxed: bool | None, variables: dict[str, str | None]
) -> None:
    """macOS and a variable both reveal a sandbox; it does not matter if mps works."""
    for mps, found in ((False, True), (None, True), (True, False)):
        facts = Facts(
            system=System(kernel="Darwin", sandboxed=sandboxed),
            python=Python(),
            torch=Torch(outcome=ProbeOutcome.ANSWERED, mps_available=mps),
            environment=Environment(variables=variables),
        )
        assert (mac.sandbox(facts) is not None) is found


@pytest.mark.parametrize(
    ("state", "found"),
    [
        (ThermalState.NOMINAL, False),
        (ThermalState.FAIR, False),
        (ThermalState.SERIOUS, True),
        (ThermalState.CRITICAL, True),
    ],
)
def test_heat_counts_where_macos_slows_down(state: ThermalState, found: bool) -> None:
    """Only serious and critical heat is found."""
    assert (power.thermal_state(powered(Power(thermal_state=state))) is not None) is found


def test_the_charge_is_told_where_it_is_known() -> None:
    """The charge is shown if it is known."""
    for percent, text in ((72, "battery (72 % left)."), (None, "battery.")):
        finding = power.battery(powered(Power(on_battery=True, battery_percent=percent)))
        assert finding is not None
        assert finding.observed.endswith(text)
