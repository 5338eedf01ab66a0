"""Every check, on recorded machines."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mpsdoctor.checks.registry import CHECKS
from mpsdoctor.checks.report import Check, Outcome, Severity, Status
from mpsdoctor.checks.runner import examine
from mpsdoctor.doctor.examine import choose_checks
from mpsdoctor.facts.agent import Agent, Context
from mpsdoctor.facts.records import (
    Environment,
    Facts,
    Folder,
    Hardware,
    HotFolder,
    HubCache,
    Memory,
    ModelFiles,
    ModelState,
    Place,
    Power,
    Pressure,
    ProbeOutcome,
    ProfileFile,
    Python,
    System,
    ThermalState,
    Torch,
    Volume,
)
from mpsdoctor.records import Record
from tests.support.machines import MACHINES

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
    (
        "MPS104",
        Severity.WARNING,
        "m5-max-64gb-macos-26.5.2-swap-29gb",
        "m5-macos-27.0-torch-2.14.0",
    ),
    (
        "MPS104",
        Severity.NOTE,
        "m3-macos-26.2-torch-2.11.0.dev-sandbox",
        "m5-macos-27.0-torch-2.14.0",
    ),
    ("MPS105", Severity.WARNING, "arm64-macos-14-virtual", "m2-pro-not-virtual"),
    (
        "MPS106",
        Severity.WARNING,
        "m3-macos-26.2-torch-2.11.0.dev-sandbox",
        "m3-air-macos-14.5-torch-2.9.1",
    ),
    ("MPS107", Severity.WARNING, "m1-pro-16gb-macos-14.2.1-low-power", "arm64-macbook-pro-pmset"),
    ("MPS108", Severity.NOTE, "m2-max-on-battery", "m4-mini-16gb-macos-26.5.2"),
    ("MPS201", Severity.ERROR, "rosetta-m2-macos-15.5-torch-2.2.2", "m5-macos-27.0-torch-2.14.0"),
    (
        "MPS201",
        Severity.ERROR,
        "rosetta-m2-pro-macos-15.3-torch-2.6.0a0",
        "intel-macos-12.4-torch-1.13.0a0",
    ),
    (
        "MPS202",
        Severity.WARNING,
        "arm64-macos-14.2.1-python-3.9-torch-2.3.0.dev",
        "m2-pro-macos-14.1.1-python-3.11.3",
    ),
    ("MPS203", Severity.WARNING, "m2-8gb-xcode-python-3.9", "m2-pro-homebrew-for-intel"),
    ("MPS204", Severity.WARNING, "m2-pro-homebrew-for-intel", "m3-air-macos-14.5-torch-2.9.1"),
    ("MPS205", Severity.NOTE, "m2-pro-homebrew-for-intel", "m2-8gb-xcode-python-3.9"),
    ("MPS206", Severity.WARNING, "mac-python-in-documents", "m2-8gb-xcode-python-3.9"),
    ("MPS206", Severity.WARNING, "macos-12.3.1-conda-in-downloads", "m2-pro-homebrew-for-intel"),
    ("MPS206", Severity.WARNING, "mac-sdxl-float16-on-volume", "m2-8gb-xcode-python-3.9"),
    ("MPS301", Severity.ERROR, "linux-bare", "m5-macos-27.0-torch-2.14.0"),
    ("MPS302", Severity.WARNING, "m1-macos-12.2.1-torch-1.13.0.dev", "linux-torch-2.13.0+cpu"),
    ("MPS303", Severity.ERROR, "linux-torch-2.13.0+cpu", "m2-max-macos-26.3.1-torch-2.10.0"),
    (
        "MPS304",
        Severity.ERROR,
        "m3-macos-26.2-torch-2.11.0.dev-sandbox",
        "m3-air-macos-14.5-torch-2.9.1",
    ),
    ("MPS305", Severity.WARNING, "m4-torch-2.11.0-baddbmm-nan", "linux-in-order"),
    (
        "MPS306",
        Severity.WARNING,
        "m4-pro-48gb-unknown-variables",
        "m5-pro-macos-26.5.2-torch-2.14.1",
    ),
    (
        "MPS307",
        Severity.ERROR,
        "mac-studio-32gb-high-watermark-0.7",
        "arm64-macos-13.3-high-watermark-0.0",
    ),
    (
        "MPS308",
        Severity.WARNING,
        "arm64-torch-2.8.0-prefer-metal-0",
        "m5-pro-macos-26.5.2-torch-2.14.1",
    ),
    (
        "MPS309",
        Severity.WARNING,
        "mac-fallback-set-after-torch",
        "arm64-macos-12.5.1-fallback-by-conda",
    ),
    ("MPS310", Severity.WARNING, "m2-pro-macos-14.7.4-torch-2.6.0", "linux-torch-2.13.0+cpu"),
    (
        "MPS311",
        Severity.NOTE,
        "arm64-macos-13.3-high-watermark-0.0",
        "arm64-macos-12.5.1-fallback-by-conda",
    ),
    ("MPS312", Severity.ERROR, "linux-picture-wrong", "linux-picture"),
    ("MPS401", Severity.WARNING, "m1-8gb-macos-15.5", "m4-pro-64gb-macos-15.2-torch-2.5.1"),
    (
        "MPS401",
        Severity.NOTE,
        "m3-air-macos-14.5-torch-2.9.1",
        "m4-pro-64gb-macos-15.2-torch-2.5.1",
    ),
    (
        "MPS402",
        Severity.WARNING,
        "m3-max-48gb-wired-limit-8gb",
        "m5-max-128gb-wired-limit-112gb",
    ),
    (
        "MPS403",
        Severity.WARNING,
        "m2-max-64gb-wired-limit-58gb",
        "m5-max-128gb-wired-limit-112gb",
    ),
    ("MPS404", Severity.WARNING, "mac-pressure-critical", "24gb-swap-1.8gb"),
    (
        "MPS405",
        Severity.NOTE,
        "m5-max-64gb-macos-26.5.2-swap-29gb",
        "36gb-macos-26.4.1-swap-5.9gb",
    ),
    (
        "MPS406",
        Severity.NOTE,
        "m2-pro-macos-14.7.4-torch-2.6.0",
        "m4-pro-64gb-macos-15.2-torch-2.5.1",
    ),
    ("MPS501", Severity.ERROR, "mac-disk-full-while-saving", "linux-in-order"),
    (
        "MPS502",
        Severity.WARNING,
        "arm64-macos-26.3.1-disk-full-while-downloading",
        "linux-in-order",
    ),
    ("MPS503", Severity.NOTE, "mac-cache-on-portable-ssd", "linux-in-order"),
    ("MPS504", Severity.WARNING, "arm64-macos-13.1-cache-links-broken", "linux-in-order"),
    ("MPS505", Severity.WARNING, "arm64-macos-26.5.2-downloads-denied", "linux-in-order"),
    ("MPS506", Severity.WARNING, "linux-misfits", "linux-in-order"),
    (
        "MPS507",
        Severity.WARNING,
        "arm64-macos-26.5.2-downloads-denied",
        "macos-15-folder-in-icloud",
    ),
    (
        "MPS508",
        Severity.WARNING,
        "macos-15-folder-in-icloud",
        "arm64-macos-26.5.2-downloads-denied",
    ),
    ("MPS601", Severity.ERROR, "linux-bare", "m2-pro-macos-14.7.4-torch-2.6.0"),
    ("MPS602", Severity.ERROR, "linux-bare", "m2-pro-macos-14.7.4-torch-2.6.0"),
    ("MPS603", Severity.ERROR, "linux-misfits", "linux-in-order"),
    ("MPS604", Severity.WARNING, "linux-misfits", "m2-pro-macos-14.7.4-torch-2.6.0"),
    ("MPS605", Severity.WARNING, "macbook-model-incomplete", "mac-sdxl-float16-on-volume"),
    ("MPS606", Severity.WARNING, "linux-misfits", "mac-sdxl-float16-on-volume"),
    ("MPS607", Severity.WARNING, "m1-pro-kolors-float16", "mac-sdxl-float16-on-volume"),
    ("MPS608", Severity.WARNING, "m3-36gb-flux1-schnell-float32", "linux-in-order"),
    ("MPS704", Severity.WARNING, "mac-agent-put-off", "macos-27.0-agent-interactive"),
    ("MPS704", Severity.WARNING, "macos-27.0-agent-exited", "macos-27.0-agent-background"),
    ("MPS705", Severity.WARNING, "macos-27.0-agent-background", "macos-27.0-agent-interactive"),
    ("MPS705", Severity.WARNING, "macos-27.0-agent-exited", "macos-27.0-agent-interactive"),
    ("MPS706", Severity.WARNING, "mac-agent-restarting", "macos-27.0-agent-interactive"),
    ("MPS707", Severity.NOTE, "macos-27.0-agent-exited", "macos-27.0-agent-interactive"),
    ("MPS801", Severity.ERROR, "linux-misfits", "linux-in-order"),
]

# Where nobody has recorded a machine on which a check finds something: one on which it does not,
# and what would have to be otherwise.
CHANGED: list[tuple[str, Severity, str, Mapping[str, Record | Mapping[str, object]]]] = [
    (
        "MPS109",
        Severity.WARNING,
        "m4-air-thermal-fair",
        {"power": Power(thermal_state=ThermalState.SERIOUS)},
    ),
    *(
        (check_id, severity, "mac-agent-in-order", {"agent": agent})
        for check_id, severity, agent in (
            ("MPS701", Severity.WARNING, Agent(installed=True, changes=("ProcessType",))),
            ("MPS702", Severity.WARNING, Agent(installed=True, interpreter_exists=False)),
            ("MPS703", Severity.WARNING, Agent(installed=True, loaded=False)),
            ("MPS708", Severity.NOTE, Agent(installed=True, log_bytes=10**9)),
            ("MPS709", Severity.WARNING, Agent(installed=True, disabled=True)),
            (
                "MPS710",
                Severity.WARNING,
                Agent(installed=True, context=Context(program="p", mps_available=False)),
            ),
        )
    ),
    (
        "MPS802",
        Severity.WARNING,
        "linux-in-order",
        {"profile": ProfileFile(path="p", settings={"device": "mps"}, pinned=("device",))},
    ),
]


def recorded(name: str) -> Facts:
    """A recorded machine."""
    return msgspec.json.decode((MACHINES / f"{name}.json").read_text(encoding="utf-8"), type=Facts)


def with_torch(torch: Torch | None) -> Facts:
    """A Mac in order, with this answer from torch."""
    facts = recorded("m2-pro-macos-14.7.4-torch-2.6.0")
    return replace(facts, torch=torch)


def outcome(check: Check, facts: Facts) -> Status:
    """How a check ends by itself, whatever it requires."""
    (result,) = examine(facts, (check,)).results
    return result.status


def without_one_fact(facts: Facts) -> Iterator[Facts]:
    """The machine as if one of its facts, or a group of them, were not known."""
    for name in facts.__struct_fields__:
        group = getattr(facts, name)
        if name in ("schema_version", "system"):
            continue
        if isinstance(group, Record) and name in ("hardware", "python", "power", "memory"):
            for fact in group.__struct_fields__:
                yield replace(facts, **{name: replace(group, **{fact: None})})
        else:
            yield replace(facts, **{name: None})
    for fact in ("macos_version", "macos_build", "virtual_machine", "sandboxed"):
        yield replace(facts, system=replace(facts.system, **{fact: None}))


@pytest.mark.parametrize(("check_id", "severity", "red", "green"), RED_AND_GREEN)
def test_a_check_tells_red_from_green(
    check_id: str, severity: Severity, red: str, green: str
) -> None:
    """Each check finds something on one machine, and nothing on another."""
    finding = BY_ID[check_id].examine(recorded(red))
    assert finding is not None
    assert severity is finding.severity
    assert BY_ID[check_id].examine(recorded(green)) is None


@pytest.mark.parametrize(("check_id", "severity", "green", "change"), CHANGED)
def test_a_check_tells_a_changed_machine(
    check_id: str,
    severity: Severity,
    green: str,
    change: Mapping[str, Record | Mapping[str, object]],
) -> None:
    """A check that finds nothing on a recorded machine finds a changed fact."""
    assert BY_ID[check_id].examine(recorded(green)) is None
    finding = BY_ID[check_id].examine(replace(recorded(green), **change))
    assert finding is not None
    assert severity is finding.severity


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_silence_is_never_ok(check: Check) -> None:
    """No check calls a Mac in order if nothing else is known about it."""
    (result,) = examine(Facts(system=System(kernel="Darwin"), python=Python()), (check,)).results
    assert result.status is not Status.OK


@pytest.mark.parametrize("path", sorted(MACHINES.glob("*.json")), ids=lambda path: path.stem)
def test_knowing_less_makes_no_finding_ok(path: Path) -> None:
    """Without any one fact, an earlier finding is found again or not recorded."""
    whole = msgspec.json.decode(path.read_bytes(), type=Facts)
    found = [check for check in CHECKS if outcome(check, whole) is Status.FINDING]
    for less in without_one_fact(whole):
        assert [] == [check.id for check in found if outcome(check, less) is Status.OK]


def test_every_check_has_a_red_and_a_green_machine() -> None:
    """Every check is in the tables."""
    tables = {row[0] for row in RED_AND_GREEN} | {row[0] for row in CHANGED}
    assert set(BY_ID) == tables


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
    """The remedy is the newest PyTorch for this macOS and Python, if there is one."""
    finding = BY_ID["MPS103"].examine(recorded(machine))
    assert finding is not None
    assert ((command,) if command else ()) == finding.remedy.commands


def test_the_remedy_for_a_python_without_torch_is_another_python() -> None:
    """macOS 12.7.6 has a PyTorch with mps, but none that was built for Python 3.13."""
    facts = recorded("m1-macos-12.7.6-torch-2.5.1")
    python = replace(facts.python, version="3.13.1")
    finding = BY_ID["MPS103"].examine(replace(facts, python=python))
    assert finding is not None
    assert "Python 3.12, for which there is PyTorch 2.4.1" in finding.remedy.text


def test_commands_use_the_examined_python() -> None:
    """A path with a space is quoted, so that the line can be copied."""
    facts = recorded("linux-bare")
    python = replace(facts.python, executable="/Users/jo doe/env/bin/python")
    finding = BY_ID["MPS601"].examine(replace(facts, python=python))
    assert finding is not None
    assert finding.remedy.commands == ("'/Users/jo doe/env/bin/python' -m pip install diffusers",)


@pytest.mark.parametrize(
    ("version", "severity"),
    [("1.12.1", Severity.ERROR), ("1.13.0", Severity.WARNING), ("2.0.0", None)],
)
def test_the_torch_versions_of_the_guide(version: str, severity: Severity | None) -> None:
    """PyTorch 1.13 is required, and 2.0 is recommended."""
    torch = Torch(outcome=ProbeOutcome.ANSWERED, version=version)
    finding = BY_ID["MPS302"].examine(with_torch(torch))
    assert severity is (finding.severity if finding else None)


def test_a_torch_that_does_not_start_stops_everything_after_it() -> None:
    """The error quotes torch, and the checks that need torch are skipped."""
    torch = Torch(outcome=ProbeOutcome.FAILED, error="ImportError: dlopen(libtorch_cpu.dylib)")
    results = {result.id: result for result in examine(with_torch(torch)).results}
    finding = results["MPS301"].finding
    assert finding is not None
    assert "dlopen" in finding.observed
    assert results["MPS304"].status is Status.SKIPPED


@pytest.mark.parametrize(
    ("torch", "open_question"),
    [(Torch(outcome=ProbeOutcome.TIMED_OUT), "MPS301"), (None, "MPS303")],
)
def test_a_torch_that_did_not_answer_is_not_known(torch: Torch | None, open_question: str) -> None:
    """No answer is neither ok nor a finding, and the exit code says “not known”."""
    report = examine(with_torch(torch))
    results = {result.id: result for result in report.results}
    assert results["MPS301"].status in (Status.TIMED_OUT, Status.NOT_RECORDED)
    assert results["MPS304"].needs == open_question
    assert [result.id for result in report.unknown] == [open_question]
    assert report.exit_code_at() == 3


def test_without_asking_torch_the_packages_tell_that_it_is_missing() -> None:
    """A quick examination finds a missing PyTorch in the list of packages."""
    quick = choose_checks(quick=True, ignore=())
    with_it = with_torch(None)
    packages = dict(with_it.packages or {})
    del packages["torch"]
    without = replace(with_it, packages=packages)

    assert examine(with_it, quick).outcome is Outcome.NOT_ASKED
    assert [error.id for error in examine(without, quick).errors] == ["MPS301"]


def test_what_is_unknown_but_not_essential_does_not_stand_in_the_way() -> None:
    """Without sw_vers and sysctl, a machine with mps is still ready."""
    facts = replace(
        recorded("m2-pro-macos-14.7.4-torch-2.6.0"),
        system=System(kernel="Darwin"),
        hardware=Hardware(),
    )
    report = examine(facts)
    found = {r.id: r.finding.severity for r in report.results if r.finding is not None}
    assert found == {
        "MPS101": Severity.WARNING,
        "MPS102": Severity.WARNING,
        "MPS103": Severity.NOTE,
        "MPS310": Severity.WARNING,
        "MPS401": Severity.NOTE,
    }
    assert report.exit_code_at() == 0


def versions() -> st.SearchStrategy[str | None]:
    """Version-like and other text."""
    plain = st.from_regex(r"\d{1,4}(\.\d{1,3}){0,3}(a\d|\.dev\d+)?(\+[a-z]+)?", fullmatch=True)
    return st.none() | plain | st.text(max_size=20)


def optional(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    """`strategy`, or not known."""
    return st.none() | strategy


words = optional(st.text(max_size=20))
flags = st.none() | st.booleans()
folders = st.builds(
    Folder,
    path=st.text(max_size=20),
    error=words,
    place=st.sampled_from(Place),
    volume=st.builds(
        Volume,
        free_bytes=st.none() | st.integers(),
        available_bytes=st.none() | st.integers(),
    ),
)
machines = st.builds(
    Facts,
    hot_folder=st.none() | st.builds(HotFolder, folder=folders, one_volume=flags),
    hub_cache=st.none() | st.builds(HubCache, folder=folders),
    model_files=st.none() | st.builds(ModelFiles, state=st.sampled_from(ModelState), dtype=words),
    requirements=st.none()
    | st.dictionaries(
        st.sampled_from(["diffusers", "diffusers[torch]"]),
        st.tuples(st.sampled_from(["torch>=2.6", "safetensors>=1", "numpy", ""])),
    ),
    system=st.builds(
        System,
        kernel=st.sampled_from(["Darwin", "Linux", ""]),
        macos_version=versions(),
        macos_build=words,
        virtual_machine=flags,
        sandboxed=flags,
    ),
    hardware=st.builds(
        Hardware, model=words, chip=words, apple_silicon=flags, ram_bytes=st.none() | st.integers()
    ),
    python=st.builds(
        Python,
        version=versions(),
        machine=optional(st.sampled_from(["arm64", "x86_64", "aarch64", ""])),
        executable=words,
        prefix=words,
        translated=flags,
        base_prefix=words,
        conda=flags,
    ),
    power=st.builds(
        Power,
        on_battery=flags,
        battery_percent=st.none() | st.integers(),
        low_power_mode=flags,
        thermal_state=st.none() | st.sampled_from(ThermalState),
    ),
    memory=st.builds(
        Memory,
        pressure=st.none() | st.sampled_from(Pressure),
        swap_used_bytes=st.none() | st.integers(),
        wired_limit_bytes=st.none() | st.integers(),
        working_set_bytes=st.none() | st.integers(),
    ),
    environment=st.none()
    | st.builds(
        Environment,
        variables=st.dictionaries(
            st.sampled_from(["PYTORCH_MPS_HIGH_WATERMARK_RATIO", "CODEX_SANDBOX"]), words
        ),
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
    assert bool(result.reason) is (
        result.status in (Status.SKIPPED, Status.NOT_RECORDED, Status.TIMED_OUT)
    )
