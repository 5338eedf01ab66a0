"""Every check, on recorded machines."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.checks.model import Check, Severity, Status
from mpsdoctor.checks.registry import CHECKS
from mpsdoctor.checks.runner import examine
from mpsdoctor.facts.model import Facts, Hardware, ProbeOutcome, Python, System, Torch

MACHINES = Path(__file__).parents[1] / "facts"
BY_ID = {check.id: check for check in CHECKS}

# For each check: the severity that it finds on one recorded machine, and another that is in order.
RED_AND_GREEN = [
    ("MPS101", Severity.ERROR, "intel-macos-12.4-torch-1.13.0a0", "m5-macos-27.0-torch-2.14.0"),
    ("MPS101", Severity.ERROR, "linux-bare", "m1-8gb-macos-15.5"),
    ("MPS102", Severity.ERROR, "m1-macos-12.2.1-torch-1.13.0.dev", "m5-macos-27.0-torch-2.14.0"),
    ("MPS102", Severity.WARNING, "m1-macos-12.7.6-torch-2.5.1", "arm64-macos-26.0-torch-2.9.1"),
    (
        "MPS103",
        Severity.ERROR,
        "m2-max-macos-13.7.4-torch-2.10.0.dev",
        "m2-pro-macos-14.7.4-torch-2.6.0",
    ),
    ("MPS103", Severity.ERROR, "m1-macos-12.7.6-torch-2.5.1", "m3-air-macos-14.5-torch-2.9.1"),
    ("MPS201", Severity.ERROR, "rosetta-m2-macos-15.5-torch-2.2.2", "m5-macos-27.0-torch-2.14.0"),
    (
        "MPS201",
        Severity.ERROR,
        "rosetta-m2-pro-macos-15.3-torch-2.6.0a0",
        "intel-macos-12.4-torch-1.13.0a0",
    ),
    ("MPS301", Severity.ERROR, "linux-bare", "m5-macos-27.0-torch-2.14.0"),
    ("MPS302", Severity.WARNING, "m1-macos-12.2.1-torch-1.13.0.dev", "linux-torch-2.13.0+cpu"),
    ("MPS303", Severity.ERROR, "linux-torch-2.13.0+cpu", "m2-max-macos-26.3.1-torch-2.10.0"),
    (
        "MPS304",
        Severity.ERROR,
        "m3-macos-26.2-torch-2.11.0.dev-sandbox",
        "m3-air-macos-14.5-torch-2.9.1",
    ),
    ("MPS401", Severity.WARNING, "m1-8gb-macos-15.5", "m4-pro-64gb-macos-15.2-torch-2.5.1"),
    (
        "MPS401",
        Severity.NOTE,
        "m3-air-macos-14.5-torch-2.9.1",
        "m4-pro-64gb-macos-15.2-torch-2.5.1",
    ),
    ("MPS601", Severity.ERROR, "linux-bare", "m2-pro-macos-14.7.4-torch-2.6.0"),
    ("MPS602", Severity.ERROR, "linux-bare", "m2-pro-macos-14.7.4-torch-2.6.0"),
]


def recorded(name: str) -> Facts:
    """A recorded machine."""
    return Facts.model_validate_json((MACHINES / f"{name}.json").read_text(encoding="utf-8"))


def with_torch(torch: Torch | None) -> Facts:
    """A Mac that is in order but for what `torch` says."""
    facts = recorded("m2-pro-macos-14.7.4-torch-2.6.0")
    return facts.model_copy(update={"torch": torch})


@pytest.mark.parametrize(("check_id", "severity", "red", "green"), RED_AND_GREEN)
def test_a_check_tells_red_from_green(
    check_id: str, severity: Severity, red: str, green: str
) -> None:
    """Each check finds something on the one machine, and nothing on the other."""
    finding = BY_ID[check_id].examine(recorded(red))
    assert finding is not None
    assert severity is finding.severity
    assert BY_ID[check_id].examine(recorded(green)) is None


def test_every_check_has_a_red_and_a_green_machine() -> None:
    """No check is left out of the table."""
    assert set(BY_ID) == {row[0] for row in RED_AND_GREEN}


def test_the_registry_is_in_order() -> None:
    """Ids are unique and ascend, and a check comes after those that it requires."""
    ids = [check.id for check in CHECKS]
    assert sorted(set(ids)) == ids
    for position, check in enumerate(CHECKS):
        assert set(check.requires) <= set(ids[:position])


@pytest.mark.parametrize(
    ("machine", "command"),
    [
        ("m2-max-macos-13.7.4-torch-2.10.0.dev", "python3 -m pip install torch==2.8.0"),
        ("m1-macos-12.7.6-torch-2.5.1", "python3 -m pip install torch==2.4.1"),
        ("m1-macos-12.2.1-torch-1.13.0.dev", None),
    ],
)
def test_macos_too_old_for_torch_names_the_torch_that_fits(
    machine: str, command: str | None
) -> None:
    """The remedy is the newest PyTorch for this macOS and Python, where there is one."""
    finding = BY_ID["MPS103"].examine(recorded(machine))
    assert finding is not None
    assert ((command,) if command else ()) == finding.remedy.commands


def test_the_remedy_for_a_python_without_torch_is_another_python() -> None:
    """macOS 12.7.6 has a PyTorch with mps, but none that was built for Python 3.13."""
    facts = recorded("m1-macos-12.7.6-torch-2.5.1")
    python = facts.python.model_copy(update={"version": "3.13.1"})
    finding = BY_ID["MPS103"].examine(facts.model_copy(update={"python": python}))
    assert finding is not None
    assert "Python 3.12, for which there is PyTorch 2.4.1" in finding.remedy.text


def test_commands_use_the_examined_python() -> None:
    """A path with a blank is quoted, so that the line can be copied."""
    facts = recorded("linux-bare")
    python = facts.python.model_copy(update={"executable": "/Users/jo doe/env/bin/python"})
    finding = BY_ID["MPS601"].examine(facts.model_copy(update={"python": python}))
    assert finding is not None
    assert finding.remedy.commands == ("'/Users/jo doe/env/bin/python' -m pip install diffusers",)


@pytest.mark.parametrize(
    ("version", "severity"),
    [("1.12.1", Severity.ERROR), ("1.13.0", Severity.WARNING), ("2.0.0", None)],
)
def test_the_torch_versions_of_the_guide(version: str, severity: Severity | None) -> None:
    """PyTorch 1.13 is needed and 2.0 recommended."""
    torch = Torch(outcome=ProbeOutcome.ANSWERED, version=version)
    finding = BY_ID["MPS302"].examine(with_torch(torch))
    assert severity is (finding.severity if finding else None)


def test_a_torch_that_does_not_start_stops_everything_after_it() -> None:
    """The error says what torch said; what mps depends on it for is skipped."""
    torch = Torch(outcome=ProbeOutcome.FAILED, error="ImportError: dlopen(libtorch_cpu.dylib)")
    results = {result.id: result for result in examine(with_torch(torch)).results}
    finding = results["MPS301"].finding
    assert finding is not None
    assert "dlopen" in finding.observed
    assert results["MPS304"].status is Status.SKIPPED


@pytest.mark.parametrize(
    ("torch", "status"),
    [(Torch(outcome=ProbeOutcome.TIMED_OUT), Status.TIMED_OUT), (None, Status.SKIPPED)],
)
def test_a_torch_that_did_not_answer_is_not_known(torch: Torch | None, status: Status) -> None:
    """No answer is neither ok nor a finding, and the exit code says that it is not known."""
    report = examine(with_torch(torch))
    results = {result.id: result for result in report.results}
    assert status is results["MPS301"].status
    assert results["MPS304"].reason == "needs MPS301 (PyTorch)"
    assert [result.id for result in report.unknown] == ["MPS301"]
    assert report.exit_code == 3


def test_what_is_unknown_but_not_essential_does_not_stand_in_the_way() -> None:
    """Without sw_vers and sysctl, mps that is available still makes the machine ready."""
    facts = recorded("m2-pro-macos-14.7.4-torch-2.6.0").model_copy(
        update={"system": System(kernel="Darwin"), "hardware": Hardware()}
    )
    report = examine(facts)
    found = {r.id: r.finding.severity for r in report.results if r.finding is not None}
    assert found == {
        "MPS101": Severity.WARNING,
        "MPS102": Severity.WARNING,
        "MPS103": Severity.NOTE,
        "MPS401": Severity.NOTE,
    }
    assert report.exit_code == 0


def versions() -> st.SearchStrategy[str | None]:
    """Version-like and other text."""
    plain = st.from_regex(r"\d{1,4}(\.\d{1,3}){0,3}(a\d|\.dev\d+)?(\+[a-z]+)?", fullmatch=True)
    return st.none() | plain | st.text(max_size=20)


def optional(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    """`strategy`, or not known."""
    return st.none() | strategy


words = optional(st.text(max_size=20))
flags = st.none() | st.booleans()
machines = st.builds(
    Facts,
    system=st.builds(
        System,
        kernel=st.sampled_from(["Darwin", "Linux", ""]),
        macos_version=versions(),
        macos_build=words,
    ),
    hardware=st.builds(
        Hardware, model=words, chip=words, apple_silicon=flags, ram_bytes=st.none() | st.integers()
    ),
    python=st.builds(
        Python,
        version=versions(),
        machine=optional(st.sampled_from(["arm64", "x86_64", "aarch64", ""])),
        executable=words,
        translated=flags,
    ),
    packages=st.none()
    | st.dictionaries(st.sampled_from(["torch", "diffusers", "transformers"]), st.text()),
    torch=st.none()
    | st.builds(
        Torch,
        outcome=st.sampled_from(ProbeOutcome),
        version=versions(),
        mps_built=flags,
        mps_available=flags,
        error=words,
    ),
)


@given(facts=machines, check=st.sampled_from(CHECKS))
def test_no_machine_makes_a_check_crash(facts: Facts, check: Check) -> None:
    """Any facts give a finding, nothing, or a reason why they cannot tell."""
    (result,) = examine(facts, (check,)).results
    assert result.status is not Status.CRASHED, result.reason
    assert bool(result.reason) is (result.status in (Status.SKIPPED, Status.TIMED_OUT))
