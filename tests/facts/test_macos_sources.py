"""`sw_vers` and `sysctl`, with recorded output."""

from collections.abc import Sequence

import pytest

from mpsdoctor.facts import sw_vers, sysctl
from mpsdoctor.facts.command import CommandResult, Runner
from mpsdoctor.facts.records import System

MISSING = CommandResult(None, stderr="[Errno 2] No such file or directory")


def answering(result: CommandResult) -> Runner:
    """A runner that gives `result` to every command."""

    def run(argv: Sequence[str], timeout: float) -> CommandResult:
        return result

    return run


@pytest.mark.parametrize(
    ("output", "version", "build"),
    [
        pytest.param(
            "ProductName:\tmacOS\nProductVersion:\t12.7.6\nBuildVersion:\t21H1320\n",
            "12.7.6",
            "21H1320",
            id="one tab, pytorch #139425",
        ),
        pytest.param(
            "ProductName:\t\tmacOS\nProductVersion:\t\t13.3.1\nProductVersionExtra:\t\t(a)\n"
            "BuildVersion:\t\t22E772610a\n",
            "13.3.1",
            "22E772610a",
            id="rapid security response, facter #2568",
        ),
        pytest.param(
            "ProductName:\tmacOS\nProductVersion:\t10.16\nBuildVersion:\t25A354\n",
            None,
            "25A354",
            id="SYSTEM_VERSION_COMPAT=1",
        ),
        pytest.param("", None, None, id="no output"),
        pytest.param("sw_vers\nProductVersion:\n", None, None, id="damaged"),
    ],
)
def test_sw_vers_gives_version_and_build(
    output: str, version: str | None, build: str | None
) -> None:
    """Any number of tabs and lines is accepted; a compatibility answer is ignored."""
    expected = System(kernel="Darwin", macos_version=version, macos_build=build)
    assert expected == sw_vers.read(answering(CommandResult(0, output)), "Darwin")


def test_a_missing_sw_vers_leaves_the_version_unknown() -> None:
    """No program, no version, no exception."""
    assert System(kernel="Darwin") == sw_vers.read(answering(MISSING), "Darwin")


def test_sysctl_reads_apple_silicon() -> None:
    """The values of an M1 Pro come back by name, as numbers and flags where asked."""
    output = (
        "hw.model: MacBookPro18,1\nmachdep.cpu.brand_string: Apple M1 Pro\nhw.physicalcpu: 10\n"
        "hw.memsize: 17179869184\nhw.optional.arm64: 1\nsysctl.proc_translated: 0\n"
    )
    values = sysctl.read(answering(CommandResult(0, output)))
    assert values["machdep.cpu.brand_string"] == "Apple M1 Pro"
    assert sysctl.number(values, "hw.memsize") == 16 * 2**30
    assert sysctl.flag(values, "hw.optional.arm64") is True
    assert sysctl.flag(values, "sysctl.proc_translated") is False


def test_sysctl_without_a_name_still_gives_the_others() -> None:
    """An Intel Mac does not know two of the names: exit code 1, and both are off."""
    result = CommandResult(
        1,
        "hw.model: MacBookPro16,1\nhw.memsize: 34359738368\n",
        "sysctl: unknown oid 'hw.optional.arm64'\n",
    )
    values = sysctl.read(answering(result))
    assert sysctl.number(values, "hw.memsize") == 32 * 2**30
    assert sysctl.flag(values, "hw.optional.arm64") is False
    assert sysctl.number(values, "hw.physicalcpu") is None


def test_a_missing_sysctl_leaves_everything_unknown() -> None:
    """Without sysctl, a flag is unknown, not off."""
    values = sysctl.read(answering(MISSING))
    assert values == {}
    assert sysctl.flag(values, "hw.optional.arm64") is None
