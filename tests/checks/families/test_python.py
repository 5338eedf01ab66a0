"""MPS2xx: what the remedies and severities depend on."""

import msgspec
import pytest

from mpsdoctor.checks.families import python
from mpsdoctor.checks.report import Severity, Status
from mpsdoctor.checks.runner import examine
from mpsdoctor.facts.records import Facts, Hardware, ProbeOutcome, Python, System, Torch


def mac(macos: str | None = "15.5", torch: Torch | None = None, **said: str | bool) -> Facts:
    """An Apple-silicon Mac with this Python."""
    return Facts(
        system=System(kernel="Darwin", macos_version=macos),
        hardware=Hardware(apple_silicon=True),
        python=msgspec.convert(said, Python),
        torch=torch,
    )


@pytest.mark.parametrize(
    ("macos", "version", "severity"),
    [
        ("15.5", "3.16.0", Severity.ERROR),
        ("14.5", "3.15.0", Severity.ERROR),
        ("15.5", "3.9.18", Severity.WARNING),
        ("15.5", "3.10.14", Severity.NOTE),
        ("15.5", "3.11.9", None),
        ("14.5", "3.10.14", None),
        ("12.2.1", "3.9.12", None),
    ],
)
def test_a_python_is_measured_by_its_newest_torch(
    macos: str, version: str, severity: Severity | None
) -> None:
    """A Python without any torch is an error, one with only an old torch less."""
    finding = python.version(mac(macos, version=version))
    assert severity is (finding.severity if finding else None)


def test_a_torch_that_is_there_proves_that_there_is_one() -> None:
    """An installed PyTorch that the table lacks is in order."""
    torch = Torch(outcome=ProbeOutcome.ANSWERED, version="2.17.0")
    assert python.version(mac(torch=torch, version="3.16.0")) is None


def test_xcodes_python_is_one_finding() -> None:
    """Only one check finds Xcode's Python."""
    facts = mac(version="3.9.6", executable="/usr/bin/python3")
    assert python.xcode(facts) is not None
    assert python.version(facts) is None
    alone = mac(executable="/usr/bin/python3", prefix="/x", base_prefix="/x", conda=False)
    assert python.environment(alone) is None


def test_no_environment_is_made_with_a_python_to_be_left() -> None:
    """An Intel Python has one finding."""
    facts = mac(
        machine="x86_64",
        translated=True,
        executable="/usr/local/bin/python3",
        prefix="/usr/local/x",
        base_prefix="/usr/local/x",
        conda=False,
    )
    results = {result.id: result for result in examine(facts).results}
    assert results["MPS201"].finding is not None
    assert (results["MPS205"].status, results["MPS205"].needs) == (Status.SKIPPED, "MPS201")


@pytest.mark.parametrize(
    ("base_prefix", "conda", "origin"),
    [
        ("/usr/local/opt/python@3.12/Frameworks/Python.framework/Versions/3.12", False, "Homebrew"),
        ("/Users/u/miniconda3", True, "conda"),
        ("/Library/Frameworks/Python.framework/Versions/3.12", False, None),
    ],
)
def test_an_intel_python_is_traced_to_its_origin(
    base_prefix: str, conda: bool, origin: str | None
) -> None:
    """python.org's Python under Rosetta has no such origin: it is built for both processors."""
    finding = python.intel_origin(mac(machine="x86_64", base_prefix=base_prefix, conda=conda))
    assert (origin is None) is (finding is None)
    assert finding is None or f"a {origin}" in finding.observed
    native = mac(machine="arm64", base_prefix=base_prefix, conda=conda)
    assert python.intel_origin(native) is None


@pytest.mark.parametrize(
    ("path", "protected"),
    [
        ("/Users/u/Documents/ComfyUI/venv/bin/python", True),
        ("~/Desktop/env/bin/python", True),
        ("/Users/u/Library/Mobile Documents/com~apple~CloudDocs/env/bin/python", True),
        ("/Volumes/SSD/env/bin/python", True),
        ("/Users/u/pictures/bin/python", False),
        ("/Users/u/code/Documents/env/bin/python", False),
        ("/opt/homebrew/bin/python3", False),
    ],
)
def test_protected_folders_are_those_of_macos(path: str, protected: bool) -> None:
    """Only the user's own folders of that name, iCloud and other volumes are protected."""
    assert (python.location(mac(executable=path)) is not None) is protected


def test_the_environment_is_made_with_the_examined_python() -> None:
    """A path with a blank is quoted; `~` is left to the shell."""
    facts = mac(executable="/My Apps/python3", prefix="/x", base_prefix="/x", conda=False)
    finding = python.environment(facts)
    assert finding is not None
    assert finding.remedy.commands[0] == "'/My Apps/python3' -m venv ~/pictures"
