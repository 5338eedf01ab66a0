"""`sw_vers`, with recorded output."""

from collections.abc import Sequence

import pytest

from mpsdoctor.facts import sw_vers
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.facts.records import System


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
        pytest.param("sw_vers\nProductVersion:\nBuildVersion: \n", None, None, id="damaged"),
    ],
)
@pytest.mark.parametrize("exit_code", [0, None])
def test_sw_vers_gives_version_and_build(
    output: str, version: str | None, build: str | None, exit_code: int | None
) -> None:
    """Any number of tabs and lines is accepted; a compatibility answer is ignored."""
    asked: list[tuple[Sequence[str], float]] = []

    def run(argv: Sequence[str], timeout: float) -> CommandResult:
        asked.append((argv, timeout))
        return CommandResult(exit_code, output)

    expected = System(kernel="Darwin", macos_version=version, macos_build=build)
    assert sw_vers.read(run, "Darwin") == expected
    assert asked == [(("/usr/bin/sw_vers",), 10.0)]
