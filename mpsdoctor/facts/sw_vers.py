"""The macOS version, from `sw_vers`."""

from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.records import System

COMMAND = ("/usr/bin/sw_vers",)
_SECONDS = 10.0

# The answer of macOS 11 and later with SYSTEM_VERSION_COMPAT=1; there was never a macOS 10.16.
_COMPATIBILITY_VERSION = "10.16"


def parse(output: str) -> dict[str, str]:
    """Each `Name:<blanks>value` line; the number of tabs differs between macOS versions."""
    pairs = (line.partition(":") for line in output.splitlines())
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}


def read(run: Runner, kernel: str) -> System:
    """The system; version and build are None if `sw_vers` does not answer.

    Only the build identifies a Rapid Security Response: its `ProductVersionExtra` of `(a)` is not
    part of a version number.
    """
    said = parse(run(COMMAND, _SECONDS).stdout)
    version = said.get("ProductVersion")
    return System(
        kernel=kernel,
        macos_version=None if version == _COMPATIBILITY_VERSION else version or None,
        macos_build=said.get("BuildVersion") or None,
    )
